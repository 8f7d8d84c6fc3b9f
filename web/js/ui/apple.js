// apple.js: whether the keyboard has Command instead of Ctrl.
export const APPLE = /Mac|iPhone|iPad/.test(navigator.platform);
