"""Problems of payments, of the archive, of identity and of notifications."""

from comanda.problems.entry import Entry, Text

ENTRIES = (
    Entry(
        slug="charge-unknown",
        status=404,
        title=Text("There is no such charge", "Esta cobrança não existe"),
        detail=Text("list the charges of the order", "liste as cobranças do pedido"),
    ),
    Entry(
        slug="case-unknown",
        status=404,
        title=Text("There is no such open case", "Este caso não existe ou já foi encerrado"),
        detail=Text("list the open cases", "liste os casos abertos"),
    ),
    Entry(
        slug="not-refundable",
        status=409,
        title=Text("This cannot be paid back", "Isto não pode ser devolvido"),
        detail=Text("look at the charge and its ledger", "veja a cobrança e seu livro"),
    ),
    Entry(
        slug="nothing-to-ask",
        status=409,
        title=Text("There is nothing to ask yet", "Ainda não há o que perguntar"),
        detail=Text(
            "it has not been made at the provider; that is tried again by itself",
            "ela ainda não foi criada no provedor; isso é tentado de novo sozinho",
        ),
    ),
    Entry(
        slug="refund-key-reused",
        status=422,
        title=Text("Idempotency-Key reused", "Idempotency-Key repetida"),
        detail=Text(
            "this Idempotency-Key named another refund of this charge",
            "esta Idempotency-Key já valeu para outra devolução desta cobrança",
        ),
    ),
    Entry(
        slug="journey-unknown",
        status=404,
        title=Text("Nothing is known of such an order", "Não se sabe nada de um pedido assim"),
        detail=Text(
            "the archive is a second or two behind", "o arquivo fica um ou dois segundos atrás"
        ),
    ),
    Entry(
        slug="replay-unknown",
        status=404,
        title=Text("There is no such replay", "Esta repetição não existe"),
        detail=Text("list the replays of the shop", "liste as repetições da loja"),
    ),
    Entry(
        slug="replay-ended",
        status=409,
        title=Text("This replay has ended", "Esta repetição já terminou"),
        detail=Text("there is nothing left to cancel", "não há mais nada a cancelar"),
    ),
    Entry(
        slug="act-unknown",
        status=404,
        title=Text("There is no such open act", "Este ato não existe ou já terminou"),
        detail=Text("list the acts of the shop", "liste os atos da loja"),
    ),
    Entry(
        slug="queue-unknown",
        status=422,
        title=Text("There is no such queue", "Esta fila não existe"),
        detail=Text("name a queue that hears events", "cite uma fila que ouve eventos"),
        details=(Text("one of: {queues}", "uma destas: {queues}"),),
    ),
    Entry(
        slug="window-senseless",
        status=422,
        title=Text("This window makes no sense", "Esta janela não faz sentido"),
        detail=Text("change since or until", "mude since ou until"),
        details=(
            Text("since and until need a time zone", "since e until precisam de fuso horário"),
            Text(
                "until comes after since, by {days} days at most",
                "until vem depois de since, no máximo {days} dias",
            ),
        ),
    ),
    Entry(
        slug="sign-in-refused",
        status=401,
        title=Text("Sign-in refused", "Entrada recusada"),
        detail=Text(
            "start again, or check what was typed",
            "comece de novo, ou confira o que foi digitado",
        ),
    ),
    Entry(
        slug="access-denied",
        status=403,
        title=Text("Access denied", "Acesso negado"),
        detail=Text("this token does not open this path", "este token não abre este endereço"),
    ),
    Entry(
        slug="profile-missing",
        status=403,
        title=Text("Only customers have a profile", "Somente clientes têm perfil"),
        detail=Text("sign in as a customer", "entre como cliente"),
    ),
    Entry(
        slug="sign-in-again",
        status=403,
        title=Text("Sign in again", "Entre de novo"),
        detail=Text(
            "this needs a sign-in of the last ten minutes",
            "isto exige uma entrada nos últimos dez minutos",
        ),
    ),
    Entry(
        slug="shop-not-served",
        status=404,
        title=Text("Unknown shop", "Loja desconhecida"),
        detail=Text(
            "no shop of this name is served here", "nenhuma loja com este nome é atendida aqui"
        ),
    ),
    Entry(
        slug="username-taken",
        status=409,
        title=Text("Username taken", "Nome de usuário já existe"),
        detail=Text("choose another username", "escolha outro nome de usuário"),
    ),
    Entry(
        slug="email-taken",
        status=409,
        title=Text("E-mail taken", "E-mail já usado"),
        detail=Text(
            "this address has an account of its own: sign in by it",
            "este endereço já tem uma conta: entre por ele",
        ),
    ),
    Entry(
        slug="own-account",
        status=409,
        title=Text("Your own account", "Sua própria conta"),
        detail=Text("another owner must change it", "outro proprietário precisa mudá-la"),
        details=(Text("use your password instead", "use a sua senha"),),
    ),
    Entry(
        slug="changed-meanwhile",
        status=412,
        title=Text("Changed meanwhile", "Mudou enquanto isso"),
        detail=Text("read the profile again", "leia o perfil de novo"),
    ),
    Entry(
        slug="content-too-large",
        status=413,
        title=Text("Content too large", "Conteúdo grande demais"),
        detail=Text("send less", "envie menos"),
        details=(
            Text("at most {limit} bytes are read", "são lidos no máximo {limit} bytes"),
            Text("at most 10 MiB are taken", "são aceitos no máximo 10 MiB"),
            Text("larger than any notification", "maior do que qualquer notificação"),
        ),
    ),
    Entry(
        slug="password-refused",
        status=422,
        title=Text("Password refused", "Senha recusada"),
        detail=Text("choose another new_password", "escolha outra new_password"),
    ),
    Entry(
        slug="malformed-request",
        status=400,
        title=Text("Malformed request", "Pedido malformado"),
        detail=Text("the notification cannot be read", "a notificação não pode ser lida"),
        details=(
            Text("data.id has no acceptable form", "data.id não tem uma forma aceitável"),
            Text("x-request-id has no acceptable form", "x-request-id não tem uma forma aceitável"),
            Text("{name} comes more than once", "{name} vem mais de uma vez"),
            Text(
                "the body and the query name different resources",
                "o corpo e a consulta citam recursos diferentes",
            ),
        ),
    ),
    Entry(
        slug="notification-unverified",
        status=401,
        title=Text("Not verified", "Não verificada"),
        detail=Text(
            "the signature does not fit the secret of the shop",
            "a assinatura não corresponde ao segredo da loja",
        ),
    ),
)
