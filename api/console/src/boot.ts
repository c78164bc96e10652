// Lets the page be painted once before a megabyte of script runs. The scripts are on their way by then: the page names them
// as preloads. A page that nobody sees is not painted, so the wait is short in any case.
const WAIT_MS = 150;
let begun = false;

function begin(): void {
  if (begun) return;
  begun = true;
  for (const link of document.querySelectorAll<HTMLLinkElement>('link[rel="preload"][as="script"]')) {
    const script = document.createElement("script");
    script.src = link.href;
    script.async = false; // in their order
    document.head.append(script);
  }
}

requestAnimationFrame(() => setTimeout(begin));
setTimeout(begin, WAIT_MS);
