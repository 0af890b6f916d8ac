"""What the bank's page says, in the words of the people who read it."""

from html import escape

from comanda.money import Money
from local.mercadopago.brcode import Fault, PixCode
from local.mercadopago.sales import LATE, Sale, State

_PAGE = """<!doctype html>
<html lang="pt-BR"><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Banco de mentira</title>
<style>
*{{box-sizing:border-box}}
body{{font:1rem/1.5 system-ui,sans-serif;max-width:30rem;margin:0 auto;padding:1rem;color:#12302b;
background:#f6f8f7}}
h1{{font-size:1.25rem;margin:.5rem 0}}
label{{font-weight:600}}
textarea{{width:100%;height:7rem;font:.85rem/1.4 ui-monospace,monospace;padding:.5rem;
border:1px solid #5b7a73;border-radius:.5rem;background:#fff;overflow-wrap:anywhere}}
button{{font:inherit;font-weight:600;width:100%;min-height:3rem;padding:.6rem 1rem;border:0;
border-radius:.5rem;background:#00695c;color:#fff;margin-top:.5rem}}
button.odd{{background:#fff;color:#8a3b00;border:2px solid #8a3b00}}
button:focus-visible,textarea:focus-visible{{outline:3px solid #f2a900;outline-offset:2px}}
.box{{padding:1rem;border-radius:.5rem;background:#fff;border:1px solid #c9d8d4;margin:1rem 0}}
.bad{{border-left:.4rem solid #b00020}}.good{{border-left:.4rem solid #00695c}}
.amount{{font-size:1.9rem;font-weight:700;margin:0}}
dl{{margin:.5rem 0 0}}dt{{color:#4a625d;font-size:.85rem}}
dd{{margin:0 0 .4rem;overflow-wrap:anywhere}}
</style>
<h1>Banco de mentira</h1>
<p>Nenhum real sai daqui.</p>
{inside}
<form method="get" action="/bank"><label for="code">Pix copia e cola</label>
<textarea id="code" name="code" required autocomplete="off" spellcheck="false"
placeholder="Cole aqui o código Pix">{code}</textarea>
<button>Ler código</button></form>
</html>
"""
_FAULTS = {
    Fault.NOT_A_CODE: "Este texto não é um código Pix. Copie o código inteiro e cole de novo.",
    Fault.WRONG_CRC: "O código foi alterado ou está incompleto: o dígito verificador (CRC) não"
    " confere. Copie de novo.",
    Fault.BROKEN_FIELDS: "O código está quebrado: um campo não tem o tamanho que declara.",
    Fault.REPEATED_FIELD: "O código está quebrado: um campo aparece duas vezes.",
    Fault.NOT_PIX: "Este código não é de Pix.",
    Fault.WRONG_CURRENCY: "Este código não é em reais.",
    Fault.WRONG_AMOUNT: "O valor deste código não é um valor em reais.",
    Fault.WRONG_TXID: "O identificador deste código não é válido.",
}
_STATES = {
    State.CREATED: "Esta cobrança ainda não foi iniciada.",
    State.PROCESSING: "Esta cobrança ainda está sendo preparada.",
    State.PAID: "Esta cobrança já foi paga.",
    State.CANCELLED: "Esta cobrança foi cancelada.",
    State.EXPIRED: "Esta cobrança expirou.",
    State.REJECTED: "Esta cobrança foi recusada.",
    State.REFUNDED: "Esta cobrança foi paga e devolvida.",
    State.IN_MEDIATION: "Esta cobrança está em disputa.",
    State.CHARGED_BACK: "Esta cobrança foi contestada.",
}


def page(code: str, *, inside: str) -> str:
    """Draw the page around what is inside."""
    return _PAGE.format(code=escape(code), inside=inside)


def fault(found: Fault) -> str:
    """Say why the code cannot be read."""
    return f'<div class="box bad" role="alert">{escape(_FAULTS[found])}</div>'


def nobody() -> str:
    """Say that the code is sound, but not one of ours."""
    return (
        '<div class="box bad" role="alert">O código é válido, mas ninguém espera por este'
        " pagamento.</div>"
    )


def offer(pix: PixCode, sale: Sale, *, code: str, amount: Money) -> str:
    """Show who gets how much, and what can be done."""
    note = _STATES.get(sale.state, "")
    told = f'<div class="box bad" role="status">{note}</div>' if note else ""
    return told + (
        f'<div class="box"><p class="amount">{reais(amount)}</p><dl>'
        f"<dt>Para</dt><dd>{escape(pix.merchant)}</dd>"
        f"<dt>Cidade</dt><dd>{escape(pix.city)}</dd>"
        f"<dt>Identificador</dt><dd>{escape(pix.txid)}</dd></dl>{_buttons(sale, code)}</div>"
    )


def receipt(sale: Sale, *, merchant: str) -> str:
    """Show that the money went."""
    return (
        '<div class="box good" role="status"><strong>Pix enviado</strong>'
        f'<p class="amount">{reais(sale.paid)}</p><dl><dt>Para</dt><dd>{escape(merchant)}</dd>'
        f"<dt>Pagamento</dt><dd>{escape(sale.payment_id)}</dd></dl></div>"
    )


def reais(amount: Money) -> str:
    """Write an amount as Brazilians do: R$ 1.234,56."""
    whole, cents = divmod(amount.cents, 100)
    return f"R$ {whole:,}".replace(",", ".") + f",{cents:02d}"


def _buttons(sale: Sale, code: str) -> str:
    if sale.state is State.WAITING:
        return _button(code, "Pagar")
    if sale.state in LATE:
        return _button(code, "Pagar mesmo assim (atrasado)", odd="late")
    if sale.paid_at is not None:
        return _button(code, "Pagar de novo (em dobro)", odd="again")
    return ""


def _button(code: str, text: str, *, odd: str = "") -> str:
    flag = f'<input type="hidden" name="{odd}" value="1">' if odd else ""
    kind = ' class="odd"' if odd else ""
    return (
        '<form method="post" action="/bank">'
        f'<input type="hidden" name="code" value="{escape(code)}">{flag}'
        f"<button{kind}>{escape(text)}</button></form>"
    )
