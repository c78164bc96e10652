// What an error means to whoever looks at the page, and what can be done.
import { t } from "./i18n";
import { Problem } from "./panel";
import { refusalText } from "./refusal";

export function explain(error: unknown): string {
  if (!(error instanceof Problem)) return t("fault.any", { why: error instanceof Error ? error.message : String(error) });
  if (error.status === 0) return t("fault.connection");
  if (error.status === 403) return t("fault.403");
  if (error.status === 503) return t("fault.503");
  return t("fault.any", { why: refusalText(error) });
}
