// The favicon with a number drawn on it, and the badge of the installed app.
const SIZE = 64;
let shown = '';
let icon: HTMLImageElement | null = null;

/** `badge` as `badgeOf` has it: a red number, a dot, or the plain mark for nothing. */
export function showBadge(badge: string, calls: number): void {
  if (badge === shown) return;
  shown = badge;
  const app = navigator as Navigator & { setAppBadge?: (count?: number) => Promise<void>; clearAppBadge?: () => Promise<void> };
  void (calls > 0 ? app.setAppBadge?.(calls) : app.clearAppBadge?.())?.catch(() => undefined);
  void draw(badge);
}

async function draw(badge: string): Promise<void> {
  const link = document.querySelector<HTMLLinkElement>('link[rel=icon]');
  if (!link) return;
  if (badge === '') {
    link.type = 'image/svg+xml';
    link.href = '/icon.svg';
    return;
  }
  icon ??= await load('/icon-192.png');
  const canvas = document.createElement('canvas');
  canvas.width = canvas.height = SIZE;
  const pen = canvas.getContext('2d');
  if (!icon || !pen || badge !== shown) return;
  pen.drawImage(icon, 0, 0, SIZE, SIZE);
  const radius = badge === 'dot' ? 13 : 21;
  pen.fillStyle = badge === 'dot' ? '#f0a020' : '#d22f27';
  pen.strokeStyle = '#ffffff';
  pen.lineWidth = 4;
  pen.beginPath();
  pen.arc(SIZE - radius - 2, radius + 2, radius, 0, 2 * Math.PI);
  pen.fill();
  pen.stroke();
  if (badge !== 'dot') {
    pen.fillStyle = '#ffffff';
    pen.font = `700 ${badge.length > 2 ? 20 : 27}px system-ui, sans-serif`;
    pen.textAlign = 'center';
    pen.textBaseline = 'middle';
    pen.fillText(badge, SIZE - radius - 2, radius + 4);
  }
  link.type = 'image/png';
  link.href = canvas.toDataURL('image/png');
}

function load(address: string): Promise<HTMLImageElement | null> {
  return new Promise((resolve) => {
    const image = new Image();
    image.onload = () => resolve(image);
    image.onerror = () => resolve(null);
    image.src = address;
  });
}
