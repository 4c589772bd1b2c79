// The one router of the page, and the links that go through it.
import { isOurs, Router } from '../router';

export const router = new Router(window);

/** Lets links to our own pages change the page without loading it anew. */
export function catchLinks(): void {
  document.addEventListener('click', (event) => {
    const link = event.target instanceof Element ? event.target.closest('a[href]') : null;
    if (!(link instanceof HTMLAnchorElement) || !isOurs(event, link, location.origin)) return;
    event.preventDefault();
    router.go(link.pathname + link.search + link.hash);
  });
}
