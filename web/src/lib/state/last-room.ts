// Which room was open last in this browser: where `/` leads.

const KEPT = 'hubbub.room';

export const lastRoom = (): string | null => localStorage.getItem(KEPT);
export const rememberRoom = (name: string): void => localStorage.setItem(KEPT, name);
export const forgetRoom = (): void => localStorage.removeItem(KEPT);
