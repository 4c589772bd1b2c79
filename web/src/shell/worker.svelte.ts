// The service worker: registers it, and knows when it has a newer version of the page.

const state = $state({ newer: false });

/** A newer version is there: it takes over when the page is loaded again. */
export const hasNewVersion = (): boolean => state.newer;

export function startWorker(): void {
  if (!import.meta.env.PROD || !('serviceWorker' in navigator)) return;
  const known = navigator.serviceWorker.controller !== null;
  navigator.serviceWorker.addEventListener('controllerchange', () => {
    if (known) state.newer = true;
  });
  // After the first messages: what it keeps for later must not slow down what is needed now.
  window.addEventListener('load', () => {
    setTimeout(() => void navigator.serviceWorker.register('/sw.js').catch(() => undefined), 3000);
  });
}
