"""Which URLs the service takes for a link."""

import re

AUTHORITY = re.compile(r"(?:[^/?#]*@)?(\[[0-9a-fA-F:.]+\]|[^:/?#]*)(?::(\d+))?(?=[/?#]|$)")


def problem(url: str) -> str | None:
    """Why the service refuses this URL, or None; a host without a dot is one such reason."""
    scheme, rest = parts(url)
    if scheme in ("tg", "ton"):
        return None if re.match(r"[a-z0-9_-]+", rest, re.IGNORECASE) else f"Wrong {scheme} URL"
    if scheme not in ("http", "https"):
        return "Unsupported URL protocol"
    authority = AUTHORITY.match(rest)
    host = authority[1] if authority else ""
    if not rest or (authority and not host):
        return "URL host is empty"
    if re.search(r"[\s<>\"\\^`{|}]", host):
        return "Disallowed character in URL host"
    return None if "." in host or host.startswith("[") else "Wrong HTTP URL"


def normal(url: str) -> str:
    """The URL as the service keeps it; only for one without a problem."""
    scheme, rest = parts(url)
    if scheme in ("tg", "ton"):
        return f"{scheme}://{rest}"
    split = re.search(r"[/?#]", rest)
    at = split.start() if split else len(rest)
    path = rest[at:]
    return f"{scheme}://{rest[:at].lower()}{path if path.startswith('/') else '/' + path}"


def parts(url: str) -> tuple[str, str]:
    """Split into a scheme, http unless it is said, and the rest."""
    found = re.match(r"(tg|ton):(?://)?|([a-z][a-z0-9+.-]*)://", url, re.IGNORECASE)
    if not found:
        return "http", url
    return (found[1] or found[2]).lower(), url[found.end() :]
