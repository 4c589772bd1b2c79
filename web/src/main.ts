import './styles/tokens.css';
import './styles/base.css';
import { mount } from 'svelte';
import App from './App.svelte';
import { catchLinks } from './lib/state/router';
import { startSettings } from './lib/state/settings.svelte';
import { watchKeyboard } from './shell/keyboard';
import { startWorker } from './shell/worker';

startSettings();
catchLinks();
startWorker();
watchKeyboard();

document.querySelector('noscript')?.remove();
const target = document.getElementById('app');
if (target) mount(App, { target });
