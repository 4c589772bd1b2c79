// The service worker: registers it, and opens what a notification of it leads to.
import { router } from '../lib/state/router';

export function startWorker(): void {
  if (!import.meta.env.PROD || !('serviceWorker' in navigator)) return;
  navigator.serviceWorker.addEventListener('message', (event: MessageEvent<{ type?: unknown; path?: unknown } | null>) => {
    const said = event.data;
    if (said?.type === 'open' && typeof said.path === 'string' && said.path.startsWith('/')) router.go(said.path);
  });
  // Once the page is there: what it keeps for later must not slow down what is needed now.
  const register = () => void navigator.serviceWorker.register('/sw.js').catch(() => undefined);
  if (document.readyState === 'complete') register();
  else window.addEventListener('load', register, { once: true });
}
