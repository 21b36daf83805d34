"""300 awkward texts, made here from code points and sentences of our own: always the same ones.

Rules: nothing is drawn from a data set, and no lone surrogates (they are no Unicode text). Two texts are of 5,000
words; the others stay short, so that the file does. Which characters are assigned is Python 3.11's view (Unicode 14).
"""

import random
import unicodedata

COUNT = 300

SENTENCES = [
    "The boat left the harbour before the rain began.",
    "Nobody in the village remembered who had built the bridge.",
    "She counts the stairs whenever she walks up to the tower.",
    "Two engineers argued about the colour of the new machine.",
    "I would like a table by the window, please.",
    "Doesn't it seem odd that the clock runs backwards?",
    "Prices rose by 3.5 % in March; wages didn't.",
    "\"Stop!\" he shouted -- but the train was already moving...",
    "After the storm (the worst in years) the roads were closed.",
    "A well-known long-term state-of-the-art solution",
]

BLANK = ["", " ", "   ", "\t", "\n", "\r\n", "\u00a0", "\u3000", "\u2003\u2009", "\u200b", "\ufeff", " \t\n "]

ONE_CHARACTER = (
    list("aZ7.?'\"-_#@$%^&*~`|\\/<>[]{}")
    + list("éßæøđħıŁžẞ")
    + list("αΩЖяאשعم")
    + list("अกခ中あア한")
    + list("€£¥₿½²①Ⅷ™©∑√∞≠→■★♥")
)

NUMBERS_AND_CODE = [
    "0", "-1", "1,234,567.89", "3.14159265358979", "6.02e23", "0x1F", "2024-02-29T23:59:59Z", "12/31/99", "+49 30 1234",
    "50%", "1st 2nd 3rd 4th", "a=b+c*d/e-f%g", "for (int i = 0; i < n; ++i) { sum += x[i]; }",
    "SELECT name FROM users WHERE id = 7 AND age >= 18;", "{\"key\": [1, 2.5, null, true]}",
    "<p class=\"x\">Hello&nbsp;</p>",
    "https://example.org/a/b?c=d&e=%20#f", "someone@example.org", "C:\\Program Files\\hone\\bin",
    "/usr/local/share/doc",
    "E = mc^2", "∫₀^∞ e^(-x²) dx = √π/2", "f(x) := λx.x ∘ g ∈ ℝ",
    "snake_case camelCase kebab-case SCREAMING_CASE",
    "v1.2.3-rc.4+build.5",
]

SPECIAL_TOKENS = [
    "[CLS]", "[SEP] after", "[MASK] in the [MASK] middle", "[UNK][PAD]", "[cls] lower", "##ing ##ed", "[ CLS ]",
    "<s></s><pad>", "[unused0] [unused99]", "text[SEP]glued[SEP]together",
]

EMOJI = [
    "😀", "👍🏽", "👨‍👩‍👧‍👦", "🏳️‍🌈", "🇩🇪🇯🇵", "1️⃣2️⃣#️⃣",
    "❤", "❤️", "I ❤ tea ☕!", "🚀🚀🚀 to the moon", "😂😂 so funny 😂",
    "word😀word", "👩🏿‍🚀 an astronaut", "☃ and ⛄", "🫠🪿🩵 newer ones",
    ":-) ;-( ^_^ ¯\\_(ツ)_/¯",
]

SCRIPTS = [
    "你好，世界。", "今天天气很好，我们去公园散步吧。", "我用 hone 训练模型 3 次",
    "漢字かな交じり文とカタカナ", "ﾊﾝｶｸ ｶﾀｶﾅ", "東京タワーは高い。",
    "안녕하세요 세계", "\u1112\u1161\u11ab\u1100\u1173\u11af decomposed", "𠮷野家 𪚥", "〇々〆ヶ",
    "「かぎ括弧」と、読点。",
    "مرحبا بالعالم", "كيف حالك اليوم؟", "بِسْمِ مع التشكيل",
    "سلام دنیا، چطوری؟", "العدد ١٢٣ و ٤٥٦", "Arabic العربية mixed",
    "שלום עולם", "שָׁלוֹם עִם נִקּוּד", "\u202bright to left\u202c and back",
    "\u2067isolated\u2069 text",
    "Привет, мир!", "Съешь ещё этих мягких булок", "Ґанок їжак єнот",
    "Γειά σου Κόσμε", "ὁ λόγος τῆς ἀρχῆς",
    "नमस्ते दुनिया", "क्षत्रिय ज्ञान श्री",
    "வணக்கம் உலகம்", "สวัสดีชาวโลก", "ສະບາຍດີ",
    "မင်္ဂလာပါ", "გამარჯობა", "Բարեւ աշխարհ",
    "Xin chào thế giới, đường phố đông người", "Dzień dobry, zażółć gęślą jaźń",
    "Güneşli bir gün, değil mi?",
    "Où est la bibliothèque ? C'est l'été.", "Straße, Größe, Übermut", "ᚠᚢᚦᚨᚱᚲ",
    "ትግርኛ ሰላም", "ᏣᎳᎩ ꭰꭱꭲ", "𐍈𐌰𐌹𐍂", "🀄🂡𝄞",
]

CASING = [
    "THE BOAT LEFT THE HARBOUR", "tHe BoAt LeFt", "İstanbul ISPARTA ığdır", "GROẞE STRASSE große straße",
    "ΣΊΣΥΦΟΣ Σίσυφος σ ς",
    "Ǆ ǅ ǆ Ǉ ǈ ǉ", "ﬁne ﬂow oﬃce ﬅ", "ＦＵＬＬ　ＷＩＤＴＨ　ｔｅｘｔ",
    "𝐁𝐨𝐥𝐝 𝑖𝑡𝑎𝑙𝑖𝑐 𝔉𝔯𝔞𝔨𝔱𝔲𝔯 𝚖𝚘𝚗𝚘",
    "ⓒⓘⓡⓒⓛⓔⓓ ⒜⒝⒞", "ΌΣΟΣ ΆΣ", "Ⅷ ⅷ ℃ Å K",
    "ŁÓDŹ łódź", "ÇA VA À L'ÉCOLE", "ЁЛКА ёлка", "ŒUVRE œuvre Æsir",
]

COMBINING = [
    "e\u0301", "\u0301", "\u0301a", "cafe\u0301 and caf\u00e9", "n\u0303 a\u030a o\u0308 u\u0308",
    "a\u0323\u0302 \u1ead \u00e2\u0323",
    "Z\u0351\u036b\u0343a\u0329\u0319l\u0348g\u0353o\u031e", "x" + "\u0336".join("struck") + "\u0336",
    "a" + "\u0301" * 60,
    "\u0915\u093c \u0958", "\ufb2a \u05e9\u05c1", "\u1e9b\u0323", "o\u0302\u0301 o\u0301\u0302",
    "i\u0307 \u0130 \u0131\u0307",
    "\u212b \u00c5 A\u030a", "\u2126 \u03a9", "word\u0300\u0301\u0302 tail", "\u20dd a\u20dd 5\u20e3",
    "\u0bb5\u0bcb \u0bb5\u0bc6\u0bbe",
    "e\u0301" * 40,
]

CONTROL = [
    "nul\u0000inside", "\u0000", "bell\u0007 and escape\u001b[31mred\u001b[0m", "back\bspace",
    "form\ffeed and vertical\u000btab",
    "delete\u007f", "c1\u0080\u0085\u009f", "tab\tbetween\twords", "line\nbreak\r\nand carriage\rreturn",
    "\u0001\u0002\u0003\u0004",
    "soft\u00adhyphen", "zero\u200bwidth\u200cnon\u200djoiner", "\ufeffmark in front", "line\u2028and\u2029paragraph",
    "word\u2060joiner",
    "\u061carabic letter mark", "\u180emongolian", "tag\U000e0041\U000e0042", "private \ue000\uf8ff\U000f0000",
    "non\ufdd0characters\uffff\U0001fffe",
    "\ufffd replaced", "\ufffc object", "variation\ufe0f\ufe0e", "interlinear\ufff9a\ufffab\ufffb", "\U0010ffff",
]

# WordPiece gives up on words above 100 characters; the model cuts after 256 tokens.
LENGTH = [
    "a" * 99, "a" * 100, "a" * 101, "unbelievable" * 20, "é" * 100, "e\u0301" * 50, "x " * 100, "the " * 253,
    "the " * 254,
    "the " * 255, "the " * 256, "the " * 260, "." * 253, "." * 254, "." * 255, "." * 400, "中" * 260, "😀" * 80,
    "supercalifragilistic " * 30, "one-two-" * 60, "a" * 101 + " short " + "b" * 101, " " * 300 + "end",
    "end" + "\n" * 300,
    ("boat " * 5000).strip(),
    " ".join(word.strip(".,;!?\"()") for word in " ".join(SENTENCES * 60).split()[:5000]),
]

RANGES = [
    (0x20, 0x7F), (0xA1, 0x250), (0x250, 0x300), (0x370, 0x400), (0x400, 0x530), (0x590, 0x600), (0x600, 0x700),
    (0x900, 0xA00),
    (0xE00, 0xF00), (0x10A0, 0x1100), (0x1100, 0x1200), (0x1E00, 0x2000), (0x2000, 0x2070), (0x2070, 0x2150),
    (0x2190, 0x2600),
    (0x3040, 0x3100), (0x4E00, 0x9FFF), (0xAC00, 0xD7A4), (0xF900, 0xFB00), (0xFB00, 0xFE00), (0xFF00, 0xFFF0),
    (0x1D400, 0x1D800), (0x1F300, 0x1FA00), (0x20000, 0x2A6DF),
]


def random_texts(count):
    """Words of assigned characters from one range, or from all of them."""
    random_source = random.Random(300)
    texts = []
    for i in range(count):
        ranges = [RANGES[i]] if i < len(RANGES) else RANGES
        words = []
        for _ in range(random_source.randint(2, 12)):
            letters = ""
            for _ in range(random_source.randint(1, 7)):
                first, end = random_source.choice(ranges)
                letters += chr(random_source.randrange(first, end))
            words.append("".join(c for c in letters if unicodedata.category(c) not in ("Cn", "Cs")))
        texts.append(" ".join(words))
    return texts


def awkward_texts():
    texts = [*BLANK, *ONE_CHARACTER, *SENTENCES, *NUMBERS_AND_CODE, *SPECIAL_TOKENS, *EMOJI, *SCRIPTS, *CASING,
             *COMBINING, *CONTROL, *LENGTH]
    return texts + random_texts(COUNT - len(texts))
