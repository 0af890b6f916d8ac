"""The bank's app: a page on which a person pastes a Pix code, looks at it and pays."""

from html import escape

from local.mercadopago.brcode import InvalidBRCode, parse

_PAGE = """<!doctype html>
<html lang="pt-BR"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>Banco de mentira</title>
<style>
body{{font:18px/1.5 system-ui;max-width:32rem;margin:2rem auto;padding:0 1rem;color:#123}}
textarea{{width:100%;height:8rem;font:14px monospace}}
button{{font:inherit;padding:.7rem 1.5rem;border:0;border-radius:.5rem;background:#0a7;color:#fff}}
.box{{padding:1rem;border-radius:.5rem;background:#eef7f4;margin:1rem 0}}
</style>
<h1>Banco de mentira</h1>
<p>Cole o código Pix e pague. Nenhum real sai daqui.</p>
<form method="get" action="/bank"><textarea name="code" required>{code}</textarea>
<p><button>Ler código</button></form>
{inside}
"""
_PAYABLE = """<div class="box"><strong>R$ {amount}</strong> para {merchant}</div>
<form method="post" action="/bank"><input type="hidden" name="code" value="{code}">
<button>Pagar</button></form>"""


def page(code: str = "", *, message: str = "") -> str:
    """Draw the page: what the code says, or what became of it."""
    if message:
        inside = f'<div class="box" role="status">{escape(message)}</div>'
    elif not code:
        inside = ""
    else:
        inside = _look(code)
    return _PAGE.format(code=escape(code), inside=inside)


def _look(code: str) -> str:
    try:
        pix = parse(code)
    except InvalidBRCode:
        return '<div class="box" role="alert">Este código Pix não é válido.</div>'
    return _PAYABLE.format(
        amount=escape(pix.amount.replace(".", ",")),
        merchant=escape(pix.merchant),
        code=escape(code),
    )
