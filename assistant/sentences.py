"""What the core itself says, by language and key. What a plugin says is the plugin's affair."""

from __future__ import annotations

from assistant.errors import InputError

SENTENCES: dict[str, dict[str, str]] = {
    "en": {
        "no_words": "I found no words in this message. Please type or paste a text.",
        "too_long": (
            "The message has {length} characters, more than the {limit} that I take. "
            "Attach a longer text as a file."
        ),
        "too_many_documents": "There are {count} documents, more than the {limit} that I take. Remove some.",
        "unknown_near": "There is no application {name}. Did you mean {near}?",
        "unknown": "There is no application {name}. There are: {names}.",
        "disabled": (
            "{name} is switched off. `assistant plugins enable {plugin}` switches it on again, from the next start on."
        ),
        "not_sure": "I am not sure what to do with this. Did you mean one of these?",
        "hello": "Hello! Here is what I can do:",
        "what_i_can_do": "Here is what I can do:",
        "for_none": (
            "None of my skills is for this, or the text to work on is missing. I have: {titles}. "
            "Ask what I can do, and I say what each of them is for."
        ),
        "only_english_texts": "My base model understands English texts only.",
        "foreign_text": (
            "The text does not look like English, the only language that my base model understands: "
            "the answer may well be wrong."
        ),
        "no_applications": "No application is installed or in service, so I can do nothing for now.",
        "no_answer": "{title} found nothing to say about this.",
        "defect": "Something went wrong on my side; it has been noted. Try again, or put it differently.",
        "foreign_history": (
            "The conversation cannot be read: {reason}. Expected: a list of messages, as the page exports it."
        ),
        "fields_given": "its fields were given",
        "too_often": "You have sent many messages in a short time. Please wait {seconds} s, then try again.",
    },
    "pt": {
        "no_words": "Não encontrei palavras nesta mensagem. Digite ou cole um texto.",
        "too_long": (
            "A mensagem tem {length} caracteres, mais do que os {limit} que aceito. "
            "Anexe um texto mais longo como arquivo."
        ),
        "too_many_documents": "São {count} documentos, mais do que os {limit} que aceito. Remova alguns.",
        "unknown_near": "Não existe a aplicação {name}. Você quis dizer {near}?",
        "unknown": "Não existe a aplicação {name}. Existem: {names}.",
        "disabled": (
            "{name} está desligada. `assistant plugins enable {plugin}` volta a ligá-la a partir do próximo início."
        ),
        "not_sure": "Não tenho certeza do que fazer com isto. Você quis dizer uma destas opções?",
        "hello": "Olá! Eis o que sei fazer:",
        "what_i_can_do": "Eis o que sei fazer:",
        "for_none": (
            "Nenhuma das minhas habilidades é para isto, ou falta o texto a trabalhar. Tenho: {titles}. "
            "Pergunte o que sei fazer, e digo para que serve cada uma."
        ),
        "only_english_texts": (
            "Entendo pedidos em português, mas o meu modelo de base só conhece textos em inglês: "
            "o texto a trabalhar deve estar em inglês."
        ),
        "foreign_text": (
            "O texto parece estar em português, e o meu modelo de base só conhece inglês: "
            "a resposta pode estar errada. Com um texto em inglês respondo melhor."
        ),
        "no_applications": "Nenhuma aplicação está instalada ou em serviço; por isso não posso fazer nada.",
        "no_answer": "{title} não encontrou nada a dizer sobre isto.",
        "defect": "Algo deu errado do meu lado e foi registrado. Tente de novo ou diga de outra forma.",
        "foreign_history": (
            "Não consigo ler a conversa: {reason}. Espero a lista de mensagens que a página exporta."
        ),
        "fields_given": "os seus campos foram dados",
        "too_often": "Você enviou muitas mensagens em pouco tempo. Espere {seconds} s e tente de novo.",
    },
}


def check_language(language: str) -> None:
    """Raise InputError for a language that no answer can be in; who is given English unasked would not know why."""
    if language.partition("-")[0].lower() not in SENTENCES:
        known = " or ".join(SENTENCES)
        raise InputError(f"There is no answer in the language {language[:20]!r}; expected {known}.")


def say(key: str, language: str, **values: object) -> str:
    """The sentence in the language ("pt" and "pt-BR" alike), or in English where there is none in it."""
    said = SENTENCES.get(language.partition("-")[0].lower(), SENTENCES["en"])
    return said[key].format(**values)
