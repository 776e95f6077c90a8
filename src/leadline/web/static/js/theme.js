// Light or dark before anything is painted: the one script that is no module, since those wait.
"use strict";
{
  const chosen = localStorage.getItem("leadline-theme");
  if (chosen) document.documentElement.dataset.theme = chosen;
}
