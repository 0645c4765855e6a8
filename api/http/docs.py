"""/docs: the page that shows the OpenAPI document. All of its files come from this service."""

from pathlib import Path

import fastapi_offline
from fastapi import APIRouter
from fastapi.responses import FileResponse

from api.http.errors import NotFound

router = APIRouter(include_in_schema=False)

_OURS = Path(__file__).parent
_SWAGGER_UI = Path(fastapi_offline.__file__).parent / "static"
_FILES = {
    "start.js": _OURS / "docs.js",
    "swagger-ui-bundle.js": _SWAGGER_UI / "swagger-ui-bundle.js",
    "swagger-ui.css": _SWAGGER_UI / "swagger-ui.css",
    "favicon.png": _SWAGGER_UI / "favicon.png",
}
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self';"
    " base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
"""`data:` is for the icons of Swagger UI's style sheet."""
_DAY = {"Cache-Control": "public, max-age=86400"}


@router.get("/docs")
async def get_docs() -> FileResponse:
    """Return the page."""
    return FileResponse(_OURS / "docs.html", headers={"Content-Security-Policy": _POLICY})


@router.get("/docs/{name}")
async def get_docs_file(name: str) -> FileResponse:
    """Return a script, the style sheet or the icon of the page."""
    if name not in _FILES:
        raise NotFound("There is no such path.")
    return FileResponse(_FILES[name], headers=_DAY)
