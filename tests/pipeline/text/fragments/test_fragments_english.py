"""English rows that are tasks about a given text, and their material. All rows are made up for this table."""

import pytest

from pipeline.text.fragments import Fragment, find_fragment
from tests.tables import each_row

LIMIT = 120
RAIN = "The rain kept falling on the old tin roof. Nobody in the village could sleep."
LUNCH = "We were promised a table by the window. Instead we sat next to the kitchen door."

# (instruction, separate material, kind, text)
TASKS = [
    # the material in its own field
    ("Classify the following text as news or opinion.", LUNCH, "classification", LUNCH),
    ("Decide whether the statement is true or false.", "Whales are fish.", "classification", "Whales are fish."),
    ("Identify the genre of this excerpt.", RAIN, "classification", RAIN),
    ("Group these items by where they are kept.", "milk, rice, ice cream, flour", "classification",
     "milk, rice, ice cream, flour"),
    ("Tag each word with its part of speech.", "The lazy goat naps", "classification", "The lazy goat naps"),
    ("Is the following sentence formal or informal?", "Gimme a sec, mate.", "classification", "Gimme a sec, mate."),
    ("What is the sentiment of this review?", LUNCH, "sentiment", LUNCH),
    ("Detect the emotion in the message", "I can't believe you came!", "sentiment", "I can't believe you came!"),
    ("Is this comment sarcastic? Give a reason.", "Oh great, another Monday.", "sentiment",
     "Oh great, another Monday."),
    ("Summarise the passage below in one sentence.", RAIN, "summarizing", RAIN),
    ("What is the main idea of the text?", RAIN, "summarizing", RAIN),
    ("Give me a TL;DR", RAIN, "summarizing", RAIN),
    ("Shorten this paragraph to twenty words", RAIN, "summarizing", RAIN),
    ("Extract all place names from the text.", "Mia flew from Oslo to Lima.", "extraction",
     "Mia flew from Oslo to Lima."),
    ("Find the adjectives in the given sentence.", "A small red boat drifted by.", "extraction",
     "A small red boat drifted by."),
    ("How many nouns are in the sentence?", "The dog chased a ball.", "extraction", "The dog chased a ball."),
    ("List the keywords of the article.", RAIN, "keywords", RAIN),
    ("Suggest three hashtags for this post", "Sunset run by the river today", "keywords",
     "Sunset run by the river today"),
    ("Make this email sound friendlier.", "Send me the file by noon.", "editing", "Send me the file by noon."),
    ("Put the sentence into the past tense.", "They sell bread.", "editing", "They sell bread."),
    ("Replace the adjectives in the text with stronger ones.", "It was a good, nice day.", "editing",
     "It was a good, nice day."),
    ("Simplify the following paragraph for a child.", RAIN, "editing", RAIN),
    ("Join the two sentences with a conjunction.", "I was tired. I kept walking.", "editing",
     "I was tired. I kept walking."),
    ("Correct the grammar mistakes.", "He go to school yesterday.", "correction", "He go to school yesterday."),
    ("Proofread this.", "Their are two cats hear.", "correction", "Their are two cats hear."),
    ("Add the missing commas to the sentence.", "I bought eggs milk and tea.", "correction",
     "I bought eggs milk and tea."),
    ("Paraphrase the statement.", "Money does not buy friends.", "paraphrase", "Money does not buy friends."),
    ("Say the following in other words.", "She let the cat out of the bag.", "paraphrase",
     "She let the cat out of the bag."),
    ("Translate the sentence to German.", "Where is the nearest bakery?", "translation",
     "Where is the nearest bakery?"),
    ("Come up with a catchy headline for this story.", RAIN, "title", RAIN),
    ("Continue the story.", RAIN, "continuation", RAIN),
    ("Fill in the blanks.", "The sun rises in the ____ and sets in the ____.", "continuation",
     "The sun rises in the ... and sets in the ...."),
    ("Write an ending for the story.", RAIN, "continuation", RAIN),
    ("Compare the two statements.", "1. Tea is calming.\n2. Coffee is calming.", "comparison",
     "Tea is calming. Coffee is calming."),
    ("Convert the paragraph into a bulleted list.", RAIN, "conversion", RAIN),
    ("Alphabetize the names.", "Zoe, Adam, Mia, Karl", "ordering", "Zoe, Adam, Mia, Karl"),
    ("Put the events in chronological order.", "- The war ended\n- The king was born\n- The war began", "ordering",
     "The war ended, The king was born, The war began"),
    ("Write two questions about the passage.", RAIN, "questions", RAIN),
    ("Answer the question based on the passage.", f"Passage: {RAIN}\nQuestion: Who slept?", "question_answering",
     RAIN),
    ("According to the text, why could nobody sleep?", RAIN, "question_answering", RAIN),
    ("Explain what the following quote means.", "A watched pot never boils.", "analysis",
     "A watched pot never boils."),
    ("Analyze the argument.", "Cats are quiet, so everyone should have one.", "analysis",
     "Cats are quiet, so everyone should have one."),
    ("Who is the speaker talking to in this excerpt?", "Come down from there, child!", "question_answering",
     "Come down from there, child!"),
    ("Given the following statement, react to it.", "Our team lost the final again.", "other",
     "Our team lost the final again."),
    # behind a colon
    ("Rewrite the sentence in the passive voice: The mice ate all the cheese.", "", "editing",
     "The mice ate all the cheese."),
    ("Translate into French: Good evening, my name is Paula.", "", "translation", "Good evening, my name is Paula."),
    ("Sort these fruits by size: melon, cherry, apple, plum", "", "ordering", "melon, cherry, apple, plum"),
    ("Classify the tweet as one of the following: sport, travel, food\nMy train is late again!", "", "classification",
     "My train is late again!"),
    ("Classify the tweet into one of the following: life in the big city, travel\nMy train is late again!", "",
     "classification", "My train is late again!"),
    ("Determine the category of the tweet: sport, travel or food\nMy train is late again!", "", "classification",
     "My train is late again!"),
    ('Shorten the message "Reminder: we meet at noon in the big hall" for a friend.', "", "summarizing",
     "Reminder: we meet at noon in the big hall"),
    # on further lines
    ("Summarize the dialogue\nAnn: I sold the boat.\nBen: And the oars?", "", "summarizing",
     "Ann: I sold the boat. Ben: And the oars?"),
    (f"Summarize the text.\n\n{RAIN}", "", "summarizing", RAIN),
    ("Fix the spelling\nI luv choclate and icecream.", "", "correction", "I luv choclate and icecream."),
    (f"Turn the story into a poem.\nKeep it short.\n{RAIN}", "", "conversion", RAIN),
    # in quotation marks
    ('Is the sentence "I could of danced all night" grammatically correct?', "", "correction",
     "I could of danced all night"),
    ("How would you rephrase “I am writing to inform you” to sound less stiff?", "", "paraphrase",
     "I am writing to inform you"),
    # before the order
    (f"{RAIN}\n\nSummarize the text above.", "", "summarizing", RAIN),
    (f"{RAIN}\nTL;DR", "", "summarizing", RAIN),
    (f"{LUNCH} What is the tone of the above text?", "", "sentiment", LUNCH),
    # sentences of one line
    ("Correct the following sentence. Me and him was late.", "", "correction", "Me and him was late."),
    ("Rewrite this review. Use a friendly tone. The soup was cold and the bill was wrong.", "", "paraphrase",
     "The soup was cold and the bill was wrong."),
    # sections, labels and what is left of chat formats
    (f"### Instruction:\nSummarize the passage.\n\n### Input:\n{RAIN}\n\n### Response:\n", "", "summarizing", RAIN),
    (f"What is the tone of the text?\nIt is for my homework.\nText: {RAIN}", "", "sentiment", RAIN),
    (f"{RAIN}\nQuestion: Who could sleep?\nAnswer:", "", "question_answering", RAIN),
    (f"Summarize the text.\n{RAIN}\nSummary: It rains.", "", "summarizing", RAIN),
    (f"Text: {RAIN}\nTask: Give the text a title.", "", "title", RAIN),
    (f"Human: Summarize the article.\n{RAIN}\nAssistant: It rains.", "", "summarizing", RAIN),
    ("Summarize the text.", f"Text: {RAIN}\nSummary:", "summarizing", RAIN),
    (f"### Instruction:\nSummarize the passage.\n{RAIN}", "", "summarizing", RAIN),
    ("The soup was cold and the bill was wrong.", "Instruction: Make the review sound kinder.", "editing",
     "The soup was cold and the bill was wrong."),
    ("Summarize.", f"Summarize.\n{RAIN}", "summarizing", RAIN),
    (f"{RAIN}\nQuestion: Who could sleep?\nA) the mayor\nB) nobody", "", "question_answering", RAIN),
    ("Answer the question based on the passage.", f"Passage: {RAIN}\nQuestion: Name a sleeper.",
     "question_answering", RAIN),
    (f"Read the passage and answer the question.\n{RAIN}\nWho slept?", "", "question_answering", RAIN),
    (f"Summarize the text.\n{RAIN}\nKeep it short.", "", "summarizing", RAIN),
    (f"Summarize the text.\nRead the following text twice.\n{RAIN}", "", "summarizing", RAIN),
    ("Compare the statements.", "1. Statement: Tea is calming.\n2. Statement: Coffee is calming.", "comparison",
     "Tea is calming. Coffee is calming."),
    ("Summarize the text.", "Text: - Tea is calming.", "summarizing", "Tea is calming."),
    # markup and wrapping
    ('Paraphrase this sentence: "The new rule was announced".', "", "paraphrase", "The new rule was announced"),
    ("Compare the two statements.", '"Tea is calming" and "coffee is calming"', "comparison",
     '"Tea is calming" and "coffee is calming"'),
    ("Paraphrase this.", '"**Never** give up on `small` dreams."', "paraphrase", "Never give up on small dreams."),
    ("Classify the sentences.", "| no | sentence |\n|---|---|\n| 1 | I am here. |\n| 2 | Are you? |", "classification",
     "1, I am here. 2, Are you?"),
    ("Summarize.", "<p>Rain &amp; wind all day,<br>and then the sun came out.</p>", "summarizing",
     "Rain & wind all day, and then the sun came out."),
]  # fmt: skip

# (instruction, separate material)
WHOLE = [
    ("What is the capital of Peru?", ""),
    ("Give the capital of this country.", "France"),
    ("Explain how rainbows form.", ""),
    ("How can I sleep better during hot summer nights?", ""),
    ("Write a short story about the given topic.", "a lighthouse keeper and a whale"),
    ("Write a reply to this email.", "Are you free for lunch on Tuesday?"),
    ("Compose a poem using the following words.", "moon, river, bread, silence"),
    ("Suggest a gift for the person described.", "My aunt, who loves birds and gardening"),
    ("Give me a synonym for the given word.", "happy"),
    ("Translate the word into Spanish.", "house"),
    ("Translate the sentence into English.", "¿Dónde está la biblioteca municipal?"),
    ("Summarize the plot of Hamlet.", ""),
    ('Summarize the novel "The Long Road to the Northern Sea".', ""),
    ('What is the theme of "The Long Road to the Northern Sea" by Ann Bell?', ""),
    ("Summarize the article.", "https://example.com/news/2020/rain"),
    ("Summarize the article.", "No input"),
    ('Summarize "The Long Road to the Northern Sea" by Ann Bell.', ""),
    ("Summarize the text.", "昨晚的雨一直下到天亮 all night long"),
    ("Summarize the life of Darwin. His voyage and his later years matter most.", ""),
    ("We visited three museums on Sunday. Summarize the life of Rembrandt.", ""),
    ("What is the usual tone of an essay on bees in winter?", "bees in winter"),
    ("Sort the list.", 'items = ["pear", "apple", "fig"]'),
    ("Explain what the following text means.", "for (i = 0; i < ten; i++) print(line)"),
    ("Organize the data.", "rent 1200 4500 7800, food 9000 1200, bus 350 120"),
    ("Sort the numbers in ascending order.", "9, 4, 17, 2"),
    ("Find the bug in the following code.", "for i in range(3) print(i)"),
    ("Write a function that reverses a sentence.", "The quick brown fox"),
    ("Simplify the expression: 2x + 3x - x", ""),
    ("Compare cats and dogs.", ""),
    ("Which of these is heavier?", "a feather and a stone"),
    ("Name three rivers: one in Asia, one in Africa and one in Europe.", ""),
    ("Tell me about the history of tea. Make it short.", ""),
    ("I feel lonely since I moved. What should I do?", ""),
    ("Define the following term: photosynthesis", ""),
    ("What does the phrase \"break the ice\" mean?", ""),
    ("Rewrite the following paragraph.", ""),
    ("Convert 5 miles to kilometers.", ""),
    ("Describe the steps: how do I bake bread at home?", ""),
    ("Design a logo for the company.", "Blue Fern Bakery in Dublin"),
    ("", RAIN),
    ("", ""),
]  # fmt: skip


@each_row(("instruction", "material", "kind", "text"), TASKS)
def test_a_task_leaves_its_material(instruction: str, material: str, kind: str, text: str) -> None:
    assert find_fragment(instruction, material, "en", LIMIT) == Fragment(kind, text)


@each_row(("instruction", "material"), WHOLE)
def test_other_rows_are_passed_whole(instruction: str, material: str) -> None:
    assert find_fragment(instruction, material, "en", LIMIT) is None


@pytest.mark.parametrize(
    ("limit", "text"),
    [
        (200, RAIN),
        (15, RAIN),
        (14, "The rain kept falling on the old tin roof. Nobody in the village could"),
        (11, "The rain kept falling on the old tin roof."),
        (3, "The rain kept"),
    ],
)
def test_long_material_is_cut_at_a_sentence_end_where_one_is_near(limit: int, text: str) -> None:
    found = find_fragment("Summarize the passage.", RAIN, "en", limit)
    assert found is not None
    assert found.text == text


@pytest.mark.parametrize("limit", [0, -1])
def test_without_room_there_is_no_fragment(limit: int) -> None:
    assert find_fragment("Summarize the passage.", RAIN, "en", limit) is None
