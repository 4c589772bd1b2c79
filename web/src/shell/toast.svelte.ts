// A short notice at the foot of the page, gone after a while: "the link is copied".

const SECONDS = 5;
let said = $state<{ text: string; bad: boolean; number: number } | null>(null);
let count = 0;
let timer: ReturnType<typeof setTimeout> | undefined;

export const toast = () => said;

export function say(text: string, bad = false): void {
  said = { text, bad, number: ++count };
  clearTimeout(timer);
  timer = setTimeout(() => (said = null), SECONDS * 1000);
}
