import subprocess
import sys
import time

from pipeline.readers import detect_language
from tests.tables import each_row

TEXTS = [
    # text, language
    ("Name three fruits", "en"),
    ("Hi", "en"),
    ("OK", "en"),
    ("What is AI?", "en"),
    ("Define gravity.", "en"),
    ("Is Paris in France?", "en"),
    ("Capital of Peru?", "en"),
    ("Translate to French: good morning", "en"),
    ("Translate 'Bonjour' to English", "en"),
    ("Translate '你好世界' to English", "en"),
    ("Describe a mojito cocktail.", "en"),
    ("请说出三种水果", "zh"),
    ("繁體中文怎麼寫", "zh"),
    ("什么是machine learning?", "zh"),
    ("用Python写一个hello world程序", "zh"),
    ("把下面的句子翻译成英文: The quick brown fox jumps over the lazy dog.", "zh"),
    ("打开 https://www.example.com/a/b/c/d/e 看看", "zh"),
    ("日语的の是什么意思", "zh"),
    ("日本の首都はどこですか", "ja"),
    ("カタカナ", "ja"),
    ("한국의 수도는?", "ko"),
    ("Nenne drei Früchte", "de"),
    ("Wer bist du?", "de"),
    ("Quelle est la capitale de la France ?", "fr"),
    ("¿Cuál es la capital de España?", "es"),
    ("Qual è la capitale d'Italia?", "it"),
    ("Qual é a capital do Brasil?", "pt"),
    ("Wat is de hoofdstad van België?", "nl"),
    ("Czym jest grawitacja?", "pl"),
    ("Türkiye'nin başkenti neresi?", "tr"),
    ("Thủ đô của Việt Nam là gì?", "vi"),
    ("Назови три фрукта", "ru"),
    ("Яка столиця України?", "uk"),
    ("ما هي عاصمة مصر؟", "ar"),
    ("پایتخت ایران کجاست؟", "fa"),
    ("भारत की राजधानी क्या है?", "hi"),
    ("ชื่อผลไม้สามชนิด", "th"),
    ("Ποια είναι η πρωτεύουσα;", "el"),
    ("", None),
    ("1 + 1 = ?", None),
    ("😀😀 !!", None),
    ("https://example.com/", None),
    ("\x00\ud800", None),
]


@each_row(("text", "language"), TEXTS)
def test_language(text, language):
    assert detect_language(text) == language


def test_at_least_5000_short_texts_a_second():
    texts = [text for text, _ in TEXTS] * 25
    detect_language("warm up: load the model")
    seconds = []
    for _ in range(3):  # the best of three, since the machine may be busy
        start = time.process_time()
        for text in texts:
            detect_language(text)
        seconds.append(time.process_time() - start)
    assert len(texts) / min(seconds) >= 5000


def test_a_long_text_costs_no_more_than_its_beginning():
    detect_language("warm up: load the model")
    start = time.process_time()
    assert detect_language("all of this is English " * 100_000) == "en"
    assert time.process_time() - start < 0.1


def test_the_model_is_loaded_only_when_it_is_needed():
    code = "import sys, pipeline.readers as r; r.detect_language('请说出三种水果'); print('py3langid' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
