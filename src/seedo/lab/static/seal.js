// Save a sealed challenge: its file is downloaded, its code put where it can be copied.
import { ask } from "./lab.js";

export async function seal(path, body, field) {
  const { code, file } = await ask("POST", path, body);
  field.value = code;
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([file], { type: "application/json" }));
  link.download = "challenge.json";
  link.click();
  URL.revokeObjectURL(link.href);
}
