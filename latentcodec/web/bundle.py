"""The modules of assets/ as the one that pages import: no tool of npm is needed for it.

Each file becomes a function that returns what it exports, in the order in which they need each
other. What they may be written with is little: `import { a, b } from "./x.js"`, `export` before
one function, class or constant at a time, and in the entry `export ... from`.
"""

from __future__ import annotations

import re
from importlib import resources

_IMPORT = re.compile(r'^import \{([^}]*)\} from "\./(\w+)\.js";\n', re.MULTILINE)
_PASSED_ON = re.compile(r'^export (?:\{([^}]*)\}|\*) from "\./(\w+)\.js";\n', re.MULTILINE)
_EXPORT = re.compile(
    r"^export ((?:async )?(?:function\*?|class|const|let) (\w+))|^export (async function\* (\w+))",
    re.MULTILINE,
)


def asset(name: str) -> str:
    """The text of a file of assets/."""
    return (resources.files("latentcodec.web") / "assets" / name).read_text(encoding="utf-8")


def bundle(entry: str) -> str:
    """A module, with all that it imports, that exports what the file `entry`.js does."""
    parts: dict[str, str] = {}
    exports = _add(entry, parts)
    head = f"// {entry}.js of latentcodec: https://www.apache.org/licenses/LICENSE-2.0\n"
    foot = f"export const {{ {', '.join(exports)} }} = {_variable(entry)};\n"
    return head + "\n".join(parts.values()) + foot


def _variable(module: str) -> str:
    return f"module_{module}"


def _names(text: str) -> list[str]:
    return [name.strip() for name in text.split(",") if name.strip()]


def _add(module: str, parts: dict[str, str]) -> list[str]:
    """Put a module behind those that it imports, and give the names that it exports."""
    text = asset(f"{module}.js")
    needed = [found[2] for found in (*_IMPORT.finditer(text), *_PASSED_ON.finditer(text))]
    of_needed = {name: _exports_or_added(name, parts) for name in needed}
    exports = {name: name for name in _own_exports(text)}
    for found in _PASSED_ON.finditer(text):
        names = _names(found[1]) if found[1] else of_needed[found[2]]
        exports |= {name: f"{_variable(found[2])}.{name}" for name in names}
    text = _PASSED_ON.sub("", text)
    text = _IMPORT.sub(lambda found: f"const {{{found[1]}}} = {_variable(found[2])};\n", text)
    text = _EXPORT.sub(lambda found: found[1] or found[3], text)
    given = ", ".join(f"{name}: {value}" for name, value in exports.items())
    parts[module] = (
        f"const {_variable(module)} = (() => {{\n{text}\nreturn {{ {given} }};\n}})();\n"
    )
    return list(exports)


def _exports_or_added(module: str, parts: dict[str, str]) -> list[str]:
    return _own_exports(asset(f"{module}.js")) if module in parts else _add(module, parts)


def _own_exports(text: str) -> list[str]:
    return [found[2] or found[4] for found in _EXPORT.finditer(text)]
