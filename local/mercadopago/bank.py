"""The bank's app: a page on which a person pastes a Pix code, looks at it and pays."""

from aiohttp import web

from comanda.money import Money
from local.mercadopago import bank_page
from local.mercadopago.brcode import InvalidBRCode, PixCode, parse
from local.mercadopago.errors import NotPayable
from local.mercadopago.provider import Provider
from local.mercadopago.sales import Sale


class Bank:
    """Show the page and pay what it shows."""

    def __init__(self, provider: Provider) -> None:
        self._provider = provider

    def routes(self) -> list[web.RouteDef]:
        """List the routes."""
        return [web.get("/bank", self.look), web.post("/bank", self.pay)]

    async def look(self, request: web.Request) -> web.Response:
        """Show the page, with what the code says if one was pasted."""
        code = _without_breaks(request.query.get("code", ""))
        return _page(code, self._inside(code) if code else "")

    async def pay(self, request: web.Request) -> web.Response:
        """Pay; then show the receipt."""
        form = await request.post()
        code = _without_breaks(str(form.get("code", "")))
        try:
            parse(code)
            sale = self._provider.find_by_code(code)
        except InvalidBRCode as exc:
            return _page(code, bank_page.fault(exc.fault), status=422)
        if sale is None:
            return _page(code, bank_page.nobody(), status=404)
        try:
            paid = self._provider.pay(
                sale, is_late=form.get("late") == "1", is_again=form.get("again") == "1"
            )
        except NotPayable:
            return _page(code, self._inside(code), status=409)
        return _page("", bank_page.receipt(paid, merchant=parse(code).merchant))

    def _inside(self, code: str) -> str:
        try:
            pix = parse(code)
            sale = self._provider.find_by_code(code)
        except InvalidBRCode as exc:
            return bank_page.fault(exc.fault)
        if sale is None:
            return bank_page.nobody()
        return bank_page.offer(pix, sale, code=code, amount=_amount(pix, sale))


def _amount(pix: PixCode, sale: Sale) -> Money:
    return sale.amount if pix.amount is None else pix.amount


def _without_breaks(code: str) -> str:
    # Messengers break long lines; blanks within belong to the merchant's name.
    return "".join(code.split("\n")).replace("\r", "").strip()


def _page(code: str, inside: str, *, status: int = 200) -> web.Response:
    text = bank_page.page(code, inside=inside)
    return web.Response(text=text, status=status, content_type="text/html")
