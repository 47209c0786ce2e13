"""Where this machine gets Debian's packages from, as sources of another suite of Debian's.

The mirror, the keyring and what else somebody has set are read from apt's own configuration when they are needed; only
the suite is ours.
"""

import os
import re
import subprocess

# Debian's names for its releases that do not say which one it is.
ALIASES = {"oldoldstable", "oldstable", "stable", "testing", "unstable", "sid"}
# Fields of a source that we set ourselves, or that say something about the suite and the machine it was written for.
OURS = {"types", "suites", "components", "architectures", "enabled", "description", "x-repolib-name"}
# What an option of the one-line format must be to matter for another suite; its name is a field's in the other format.
KEPT_OPTIONS = {"signed-by", "trusted", "check-valid-until"}

COMPONENT = "main"


def of_suite(suite: str) -> str:
    """The sources of apt, in its deb822 format, for `suite`. Empty if this machine has none of Debian's own."""
    codename = this_codename()
    stanzas = []
    for path in source_files():
        with open(path, errors="replace") as file:
            text = file.read()
        parse = stanzas_of_fields if path.endswith(".sources") else stanzas_of_lines
        for fields in parse(text):
            suites = set(fields["suites"].split())
            if "deb" in fields["types"].split() and COMPONENT in fields["components"].split():
                if codename in suites or suites & ALIASES:
                    stanzas.append(stanza(fields, suite))
    # The same mirror may be named twice: for the release, and for its updates.
    return "\n".join(dict.fromkeys(stanzas))


def this_codename() -> str:
    """The release that this machine runs."""
    with open("/etc/os-release") as file:
        found = re.search(r'^VERSION_CODENAME="?([a-z]+)', file.read(), re.MULTILINE)
    return found[1] if found else ""


def source_files() -> list[str]:
    """The files in which apt looks for sources."""
    names = ["Dir::Etc::sourcelist/f", "Dir::Etc::sourceparts/d"]
    file, folder = (
        subprocess.run(["apt-config", "shell", "value", name], check=True, stdout=subprocess.PIPE, text=True)
        .stdout.strip()
        .removeprefix("value=")
        .strip("'")
        for name in names
    )
    found = [file] if os.path.isfile(file) else []
    if os.path.isdir(folder):
        wanted = (name for name in sorted(os.listdir(folder)) if name.endswith((".list", ".sources")))
        found += [os.path.join(folder, name) for name in wanted]
    return found


def stanzas_of_fields(text: str) -> list[dict[str, str]]:
    """The sources of a file in the deb822 format: fields by their name in lower case. A continued field keeps its
    lines."""
    found = []
    text = "\n".join(line for line in text.splitlines() if not line.startswith("#"))
    for paragraph in re.split(r"\n\s*\n", text):
        fields = {}
        for name, value in re.findall(r"^([A-Za-z-]+):[ \t]*(.*(?:\n[ \t]+.*)*)", paragraph, re.MULTILINE):
            fields[name.lower()] = value
        if {"types", "uris", "suites", "components"} <= fields.keys() and fields.get("enabled", "yes") != "no":
            found.append(fields)
    return found


def stanzas_of_lines(text: str) -> list[dict[str, str]]:
    """The sources of a file in the one-line format, as the other format would say them."""
    found = []
    for line in text.splitlines():
        match = re.match(r"\s*(deb|deb-src)\s+(?:\[([^]]*)\]\s+)?(\S+)\s+(\S+)\s+([^#]+)", line)
        if not match:
            continue
        kind, options, uri, suite, components = match.groups()
        fields = {"types": kind, "uris": uri, "suites": suite, "components": components}
        for option in (options or "").split():
            name, _, value = option.partition("=")
            if name in KEPT_OPTIONS:
                fields[name] = value
        found.append(fields)
    return found


def stanza(fields: dict[str, str], suite: str) -> str:
    """A source with everything as it was but the suite."""
    lines = ["Types: deb", f"Suites: {suite}", f"Components: {COMPONENT}"]
    lines += [f"{name.title()}: {value}" for name, value in fields.items() if name not in OURS]
    return "\n".join(lines) + "\n"
