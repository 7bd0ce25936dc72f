"""The plugin onebase-banking: which banking matter a request is about, told by an adapter of its own."""

from pathlib import Path
from typing import ClassVar

from assistant import TextClassification, hookimpl

HERE = Path(__file__).parent


class Banking(TextClassification):
    """Tells ten banking matters apart, and says when it is none of them."""

    id = "banking"
    title = "Banking"
    description = "Says which of ten banking matters a request is about, or that it is about none of them."
    adapter = HERE / "adapter"
    prompts = HERE / "prompts"
    # Messages as people would type them: the page shows them, and the router learns from them.
    examples = (
        'Which banking matter is this? "How much money is left on my checking account?"',
        "What is this customer's banking request about: I want to raise my credit limit",
        'Who at the bank should handle this? "Someone used my card in a shop I never went to."',
        "Sort this banking request: please send 200 dollars to my savings",
        "Banking topic of: when is my electricity bill due",
        'A client of our bank wrote "my account is locked and I cannot log in". What does he want?',
        "Bank request: what is the interest rate on my savings account?",
        "Which department of the bank does this go to?\n\nI lost my wallet and need a new card.",
        'classify this bank message: "can you change my pin"',
        "Is this about a bill, a card or a transfer? 'Pay my gas bill from checking.'",
        'Route this message to the right bank team: "how much did I spend on food last month"',
        "banking: my card was declined at the store",
        'Sobre que assunto bancário é isto? "Qual é o meu saldo?"',
        "Para que setor do banco vai este pedido: perdi meu cartão",
        'Assunto bancário desta mensagem: "Quero transferir dinheiro."',
    )
    # Words that speak for this application when they stand in a message's instruction.
    cues = (
        "bank",
        "banking",
        "banking matter",
        "bank request",
        "bank message",
        "department",
        "bancário",
        "banco",
        "assunto bancário",
    )
    sentences: ClassVar = {
        "en": {
            "balance": "This is about the balance of an account.",
            "bill": "This is about a bill: how much it is, when it is due, or paying it.",
            "blocked_account": "This is about a blocked account, or blocking one.",
            "card": "This is about a card: a new, lost, damaged, declined or expiring one.",
            "credit_limit": "This is about a credit limit.",
            "fraud": "This is about fraud: a payment that the customer did not make.",
            "interest": "This is about interest.",
            "pin": "This is about changing a PIN.",
            "spending": "This is about what was spent, or the list of transactions.",
            "transfer": "This is about a transfer of money.",
            "other": "This is about none of the banking matters that I know.",
        },
        "pt": {
            "balance": "Trata-se do saldo de uma conta.",
            "bill": "Trata-se de uma fatura: o valor, o vencimento ou o pagamento.",
            "blocked_account": "Trata-se de uma conta bloqueada, ou de bloquear uma.",
            "card": "Trata-se de um cartão: novo, perdido, danificado, recusado ou a vencer.",
            "credit_limit": "Trata-se de um limite de crédito.",
            "fraud": "Trata-se de fraude: um pagamento que o cliente não fez.",
            "interest": "Trata-se de juros.",
            "pin": "Trata-se de mudar uma senha.",
            "spending": "Trata-se dos gastos, ou da lista de transações.",
            "transfer": "Trata-se de uma transferência de dinheiro.",
            "other": "Não se trata de nenhum dos assuntos bancários que conheço.",
        },
    }


@hookimpl
def register_applications() -> list[TextClassification]:
    """The one application."""
    return [Banking()]
