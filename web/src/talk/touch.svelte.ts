// Whether fingers are what the page is used with: then Enter breaks the line, and messages have a menu button.

const query = window.matchMedia('(hover: none) and (pointer: coarse)');
const state = $state({ touches: query.matches });
query.addEventListener('change', (event) => {
  state.touches = event.matches;
});

export const touches = (): boolean => state.touches;
