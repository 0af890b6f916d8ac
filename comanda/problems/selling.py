"""Problems of menu, stock and orders."""

from comanda.problems.entry import Entry, Text

ENTRIES = (
    Entry(
        slug="product-unknown",
        status=404,
        title=Text("There is no such product", "Este produto não existe"),
        detail=Text("read the menu again", "leia o cardápio de novo"),
    ),
    Entry(
        slug="picture-unknown",
        status=404,
        title=Text("There is no such picture", "Esta imagem não existe"),
        detail=Text(
            "read the menu again; it names all pictures",
            "leia o cardápio de novo; ele cita todas as imagens",
        ),
    ),
    Entry(
        slug="name-taken",
        status=409,
        title=Text(
            "Another product of the menu has this name",
            "Outro produto do cardápio já tem este nome",
        ),
        detail=Text("choose another name", "escolha outro nome"),
    ),
    Entry(
        slug="menu-full",
        status=409,
        title=Text("The menu is full", "O cardápio está cheio"),
        detail=Text("take something off it first", "retire algo dele antes"),
    ),
    Entry(
        slug="stock-insufficient",
        status=409,
        title=Text("More than is left", "Mais do que resta"),
        detail=Text(
            "what is held or sold cannot be taken away",
            "o que está reservado ou vendido não pode ser retirado",
        ),
    ),
    Entry(
        slug="delivery-key-reused",
        status=409,
        title=Text(
            "This Idempotency-Key named another quantity before",
            "Esta Idempotency-Key já valeu para outra quantidade",
        ),
        detail=Text("make up a new key for new work", "invente outra chave para um trabalho novo"),
    ),
    Entry(
        slug="version-stale",
        status=412,
        title=Text("Not the current version", "Esta versão não é a atual"),
        detail=Text("read it again", "leia de novo"),
        details=(
            Text(
                "somebody changed it meanwhile; the version is {version}",
                "alguém mudou isto enquanto isso; a versão é {version}",
            ),
        ),
    ),
    Entry(
        slug="not-a-picture",
        status=415,
        title=Text("Not a picture", "Não é uma imagem"),
        detail=Text(
            "a JPEG, PNG or WebP picture is needed", "é preciso uma imagem JPEG, PNG ou WebP"
        ),
        details=(
            Text("a picture has at most {limit} bytes", "uma imagem tem no máximo {limit} bytes"),
        ),
    ),
    Entry(
        slug="not-a-sheet",
        status=415,
        title=Text("Not a sheet", "Não é uma planilha"),
        detail=Text("text/csv is needed", "é preciso text/csv"),
        details=(Text("text/csv in one of {charsets}", "text/csv em {charsets}"),),
    ),
    Entry(
        slug="sheet-faulty",
        status=422,
        title=Text("The sheet has faults", "A planilha tem erros"),
        detail=Text("nothing was imported; see errors", "nada foi importado; veja errors"),
    ),
    Entry(
        slug="customers-only",
        status=403,
        title=Text("Only customers order", "Somente clientes fazem pedidos"),
        detail=Text(
            "use a customer's or a guest's token", "use o token de um cliente ou visitante"
        ),
    ),
    Entry(
        slug="order-unknown",
        status=404,
        title=Text("There is no such order", "Este pedido não existe"),
        detail=Text(
            "no order of this id is yours or your shop's",
            "nenhum pedido com este id é seu ou da sua loja",
        ),
    ),
    Entry(
        slug="pix-missing",
        status=404,
        title=Text("There is no Pix code", "Não há código Pix"),
        detail=Text("it is not there yet, or any more", "ele ainda não existe, ou já não existe"),
        details=(Text("the order is {status}", "o pedido está {status}"),),
    ),
    Entry(
        slug="webhook-unknown",
        status=404,
        title=Text("There is no such webhook", "Este webhook não existe"),
        detail=Text("list the webhooks of the shop", "liste os webhooks da loja"),
    ),
    Entry(
        slug="request-in-flight",
        status=409,
        title=Text("Request in flight", "Pedido em andamento"),
        detail=Text(
            "the same request is being worked on; repeat it to get its answer",
            "o mesmo pedido está sendo processado; repita-o para receber a resposta",
        ),
    ),
    Entry(
        slug="shop-closed",
        status=409,
        title=Text("The shop is closed", "A loja está fechada"),
        detail=Text(
            "the shop takes no orders now; its menu says when it opens",
            "a loja não aceita pedidos agora; o cardápio diz quando ela abre",
        ),
    ),
    Entry(
        slug="step-impossible",
        status=409,
        title=Text("This step is not possible now", "Este passo não é possível agora"),
        detail=Text("read the order again", "leia o pedido de novo"),
        details=(
            Text(
                "{step} is not possible for an order that is {status}",
                "{step} não é possível para um pedido que está {status}",
            ),
        ),
    ),
    Entry(
        slug="cancellation-impossible",
        status=409,
        title=Text(
            "This order cannot be cancelled now", "Este pedido não pode ser cancelado agora"
        ),
        detail=Text("ask at the counter", "pergunte no balcão"),
        details=(
            Text(
                "{step} is not possible for an order that is {status}",
                "{step} não é possível para um pedido que está {status}",
            ),
        ),
    ),
    Entry(
        slug="webhooks-full",
        status=409,
        title=Text(
            "The shop has as many webhooks as it may", "A loja já tem todos os webhooks que pode"
        ),
        detail=Text("remove one first", "remova um antes"),
    ),
    Entry(
        slug="too-many-unpaid",
        status=429,
        title=Text("Too many unpaid orders", "Pedidos demais sem pagamento"),
        detail=Text(
            "pay or cancel one of your orders first",
            "pague ou cancele um dos seus pedidos antes",
        ),
    ),
    Entry(
        slug="kitchen-full",
        status=503,
        title=Text("The kitchen is full", "A cozinha está lotada"),
        detail=Text(
            "as many orders are waiting as the kitchen takes; try again in a few minutes",
            "a cozinha já tem todos os pedidos que aceita; tente de novo em alguns minutos",
        ),
    ),
)
