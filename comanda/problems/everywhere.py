"""Problems that more than one service answers: requests nobody can read, tokens, outages."""

from comanda.problems.entry import Entry, Text

_ONE_OF = Text("one of: {groups}", "um destes papéis: {groups}")

ENTRIES = (
    Entry(
        slug="malformed-body",
        status=400,
        title=Text("Malformed body", "Corpo ilegível"),
        detail=Text(
            "the body is not what this path takes", "o corpo não é o que este endereço recebe"
        ),
        details=(
            Text("the body is not valid JSON", "o corpo não é um JSON válido"),
            Text("the body is not JSON", "o corpo não é um JSON"),
            Text("the sheet is not {charset}", "a planilha não está em {charset}"),
        ),
    ),
    Entry(
        slug="token-missing",
        status=401,
        title=Text("A bearer token is needed", "É preciso um token de acesso"),
        detail=Text(
            "send a good token in Authorization: Bearer",
            "envie um token válido em Authorization: Bearer",
        ),
        details=(
            Text(
                "the token is missing, expired or not good here",
                "o token falta, expirou ou não vale aqui",
            ),
        ),
    ),
    Entry(
        slug="token-refused",
        status=401,
        title=Text("This token is not good here", "Este token não vale aqui"),
        detail=Text("sign in again", "entre de novo"),
    ),
    Entry(
        slug="role-missing",
        status=403,
        title=Text("This needs another role", "Isto exige outro papel"),
        detail=Text(
            "ask somebody of the shop who may do it", "peça a alguém da loja que possa fazê-lo"
        ),
        details=(_ONE_OF, Text("staff alone", "somente a equipe")),
    ),
    Entry(
        slug="not-found",
        status=404,
        title=Text("Not found", "Não encontrado"),
        detail=Text("there is nothing here for this token", "não há nada aqui para este token"),
        details=(
            Text("nothing is served at {path}", "não há nada em {path}"),
            Text(
                "no such path, or not with this method",
                "este endereço não existe, ou não com este método",
            ),
            Text(
                "no shop of this name is served here", "nenhuma loja com este nome é atendida aqui"
            ),
        ),
    ),
    Entry(
        slug="shop-unknown",
        status=404,
        title=Text("There is no such shop", "Esta loja não existe"),
        detail=Text(
            "no shop of this name is served here", "nenhuma loja com este nome é atendida aqui"
        ),
    ),
    Entry(
        slug="method-not-allowed",
        status=405,
        title=Text("Method not allowed", "Método não permitido"),
        detail=Text("this path does not take this method", "este endereço não aceita este método"),
        details=(
            Text("notifications are posted", "notificações são enviadas por POST"),
            Text("no path takes this method", "nenhum endereço aceita este método"),
        ),
    ),
    Entry(
        slug="body-too-slow",
        status=408,
        title=Text("The body took too long", "O corpo demorou demais"),
        detail=Text("send it again, faster", "envie de novo, mais depressa"),
    ),
    Entry(
        slug="body-too-large",
        status=413,
        title=Text("The body is too large", "O corpo é grande demais"),
        detail=Text("send less", "envie menos"),
        details=(
            Text("at most {limit} bytes", "no máximo {limit} bytes"),
            Text("at most {limit} bytes are read", "são lidos no máximo {limit} bytes"),
            Text("at most 10 MiB are taken", "são aceitos no máximo 10 MiB"),
            Text("larger than any notification", "maior do que qualquer notificação"),
        ),
    ),
    Entry(
        slug="address-too-long",
        status=414,
        title=Text("The address is too long", "O endereço é longo demais"),
        detail=Text("ask for less at once", "peça menos de uma vez"),
        details=(Text("at most {limit} bytes", "no máximo {limit} bytes"),),
    ),
    Entry(
        slug="media-type-unsupported",
        status=415,
        title=Text("Unsupported media type", "Tipo de conteúdo não aceito"),
        detail=Text("send application/json", "envie application/json"),
    ),
    Entry(
        slug="invalid-request",
        status=422,
        title=Text("Invalid request", "Pedido inválido"),
        detail=Text("see errors", "veja errors"),
        details=(
            Text(
                "see errors; {more} more are not shown",
                "veja errors; outros {more} não são mostrados",
            ),
            Text("change the fields named below", "mude os campos citados abaixo"),
            Text("a JSON object is needed", "é preciso um objeto JSON"),
            Text(
                "Idempotency-Key is 1 to 128 printable signs",
                "Idempotency-Key tem de 1 a 128 sinais imprimíveis",
            ),
        ),
    ),
    Entry(
        slug="version-needed",
        status=428,
        title=Text("If-Match is needed", "É preciso If-Match"),
        detail=Text("send the ETag of what you read, or *", "envie o ETag do que leu, ou *"),
        details=(
            Text(
                "send the ETag of the profile that you saw", "envie o ETag do perfil que você viu"
            ),
        ),
    ),
    Entry(
        slug="too-many-requests",
        status=429,
        title=Text("Too many requests", "Pedidos demais"),
        detail=Text("come back in a moment", "volte daqui a pouco"),
    ),
    Entry(
        slug="headers-too-large",
        status=431,
        title=Text("Request header fields too large", "Cabeçalhos grandes demais"),
        detail=Text(
            "a header is larger than any of a notification",
            "um cabeçalho é maior do que qualquer um de uma notificação",
        ),
    ),
    Entry(
        slug="internal-error",
        status=500,
        title=Text("Internal error", "Erro interno"),
        detail=Text("it was logged; try again", "foi registrado; tente de novo"),
        details=(
            Text("it was logged: {what}", "foi registrado: {what}"),
            Text("no_secret", "a loja ainda não tem o segredo das notificações"),
        ),
    ),
    Entry(
        slug="bad-gateway",
        status=502,
        title=Text("Bad gateway", "O serviço falhou"),
        detail=Text("the function behind this path failed", "a função deste endereço falhou"),
    ),
    Entry(
        slug="service-down",
        status=502,
        title=Text("Service unavailable", "Serviço indisponível"),
        detail=Text(
            "the service behind this path is down", "o serviço deste endereço está fora do ar"
        ),
        details=(
            Text("the service behind this path hung up", "o serviço deste endereço desligou"),
        ),
    ),
    Entry(
        slug="service-unavailable",
        status=503,
        title=Text("Service unavailable", "Serviço indisponível"),
        detail=Text(
            "a part that this answer needs is down",
            "uma parte de que esta resposta precisa está fora do ar",
        ),
        details=(
            Text(
                "the keys that verify tokens are out of reach",
                "as chaves que verificam tokens estão fora de alcance",
            ),
            Text("not ready: {what}", "não está pronto: {what}"),
            Text(
                "the catalog's database is out of reach",
                "o banco de dados do cardápio está fora de alcance",
            ),
            Text("the store of orders is out of reach", "os pedidos estão fora de alcance"),
            Text(
                "the menu of this shop has not arrived yet",
                "o cardápio desta loja ainda não chegou",
            ),
            Text(
                "too many pages follow orders; read the order instead",
                "páginas demais acompanham pedidos; leia o pedido em vez disso",
            ),
            Text(
                "the database of payments is out of reach",
                "o banco de dados de pagamentos está fora de alcance",
            ),
            Text("the archive is out of reach", "o arquivo está fora de alcance"),
            Text(
                "the secrets that verify are out of reach; try again",
                "os segredos que verificam estão fora de alcance; tente de novo",
            ),
            Text(
                "it could not be published; send it again",
                "não pôde ser publicada; envie de novo",
            ),
        ),
    ),
    Entry(
        slug="service-silent",
        status=504,
        title=Text("Service unavailable", "Serviço indisponível"),
        detail=Text(
            "the service behind this path did not answer in time",
            "o serviço deste endereço não respondeu a tempo",
        ),
    ),
    Entry(
        slug="gateway-timeout",
        status=504,
        title=Text("Gateway timeout", "Tempo esgotado"),
        detail=Text(
            "the function behind this path did not answer in time",
            "a função deste endereço não respondeu a tempo",
        ),
    ),
)
