// Lets the page be painted once before a megabyte of script runs. The scripts are on their way by then: the page names them
// as preloads. A page that nobody sees is not painted, so the wait is short in any case.
const WAIT_MS = 150;
const names = (document.currentScript as HTMLScriptElement | null)?.dataset["then"]?.split(" ") ?? [];
let begun = false;

function begin(): void {
  if (begun) return;
  begun = true;
  for (const src of names) {
    const script = document.createElement("script");
    script.src = src;
    script.async = false; // in their order
    document.head.append(script);
  }
}

requestAnimationFrame(() => setTimeout(begin));
setTimeout(begin, WAIT_MS);
