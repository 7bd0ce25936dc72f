"""What the application says, by language."""

SAID = {
    "en": {
        "cause": "The most plausible cause: “{best}”.",
        "effect": "What most plausibly happened as a result: “{best}”.",
        "sense": "This one makes sense: “{best}”.",
        "against": "This one goes against common sense: “{best}”.",
        "question": "The most plausible answer: “{best}”.",
    },
    "pt": {
        "cause": "A causa mais plausível: “{best}”.",
        "effect": "O resultado mais plausível: “{best}”.",
        "sense": "Esta faz sentido: “{best}”.",
        "against": "Esta contraria o senso comum: “{best}”.",
        "question": "A resposta mais plausível: “{best}”.",
    },
}
UNSURE = {
    "en": "The options are too close for me to choose. I lean to “{best}”, but “{next}” is about as plausible.",
    "pt": (
        "As opções estão próximas demais para eu escolher. "
        "Inclino-me para “{best}”, mas “{next}” é quase tão plausível."
    ),
}
PROBLEMS = {
    "en": {
        "nothing": (
            "Common sense needs a question and at least two options, "
            "such as: Where do fish live? a) in water b) in trees"
        ),
        "no_question": "There are options but no question; expected a question or a premise before them.",
        "one_option": "There is only one option, “{option}”; expected at least two to choose from.",
        "too_many": "There are {count} options; expected at most {limit}.",
        "twice": "The option “{option}” stands there twice; expected options that differ.",
    },
    "pt": {
        "nothing": (
            "O senso comum precisa de uma pergunta e de pelo menos duas opções, "
            "por exemplo: Onde vivem os peixes? a) na água b) nas árvores"
        ),
        "no_question": "Há opções, mas nenhuma pergunta; espero uma pergunta ou uma premissa antes delas.",
        "one_option": "Há uma só opção, “{option}”; espero pelo menos duas para escolher.",
        "too_many": "Há {count} opções; espero no máximo {limit}.",
        "twice": "A opção “{option}” aparece duas vezes; espero opções diferentes.",
    },
}
