// On phones whose on-screen keyboard lies over the page instead of making it smaller (iOS), the page makes itself smaller.

/** A keyboard is at least so high; what is less is a bar that slides in and out. */
const LEAST = 120;

/** The height that the keyboard leaves, in pixels; null: nothing lies over the page. */
export function heightLeft(page: number, view: { height: number; scale: number }): number | null {
  const zoomed = view.scale > 1.01; // then the view is smaller because somebody looks closer
  return !zoomed && page - view.height >= LEAST ? Math.round(view.height) : null;
}

export function watchKeyboard(): void {
  const view = window.visualViewport;
  if (!view) return;
  const fit = () => {
    const left = heightLeft(window.innerHeight, view);
    const { style } = document.documentElement;
    if (left === null) {
      style.removeProperty('--height-left');
      style.removeProperty('--safe-bottom');
    } else {
      style.setProperty('--height-left', `${left}px`);
      style.setProperty('--safe-bottom', '0px'); // the bar there is under the keyboard
      window.scrollTo(0, 0); // the browser has moved the page up to show the field, which is not needed any more
    }
  };
  view.addEventListener('resize', fit);
  view.addEventListener('scroll', fit); // it moves the page up after it has said the size, too
}
