"""The sets of characters that `\\d`, `\\s`, `\\w` and `\\p{...}` stand for in JavaScript."""

from __future__ import annotations

import re

import regex

from engine.late_regex import late_regex

Ranges = list[tuple[int, int]]
_LAST = 0x10FFFF
_DIGITS: Ranges = [(48, 57)]
_WORD: Ranges = [(48, 57), (65, 90), (95, 95), (97, 122)]
_SPACE: Ranges = [
    (0x09, 0x0D),
    (0x20, 0x20),
    (0xA0, 0xA0),
    (0x1680, 0x1680),
    (0x2000, 0x200A),
    (0x2028, 0x2029),
    (0x202F, 0x202F),
    (0x205F, 0x205F),
    (0x3000, 0x3000),
    (0xFEFF, 0xFEFF),
]


def complement(ranges: Ranges) -> Ranges:
    """All other characters; `ranges` are in order."""
    starts = [0, *(last + 1 for _, last in ranges)]
    ends = [*(first - 1 for first, _ in ranges), _LAST]
    return [(start, end) for start, end in zip(starts, ends, strict=True) if start <= end]


ESCAPED_SETS: dict[str, Ranges] = {
    "d": _DIGITS,
    "D": complement(_DIGITS),
    "s": _SPACE,
    "S": complement(_SPACE),
}


def word_ranges(folded: bool) -> Ranges:
    """`\\w`; with the flags `iu` also the long s and the Kelvin sign, which fold to s and k."""
    return [*_WORD, (0x17F, 0x17F), (0x212A, 0x212A)] if folded else _WORD


def ranges_text(ranges: Ranges) -> str:
    """The ranges in the syntax of the `regex` package, inside a class or alone."""
    return "".join(
        _code(first) if first == last else f"{_code(first)}-{_code(last)}" for first, last in ranges
    )


def _code(number: int) -> str:
    character = chr(number)
    if character.isascii() and (character.isalnum() or character == "_"):
        return character
    return f"\\U{number:08x}" if number > 0xFFFF else f"\\u{number:04x}"


_CATEGORY = late_regex(
    "L|LC|Lu|Ll|Lt|Lm|Lo|M|Mn|Mc|Me|N|Nd|Nl|No|P|Pc|Pd|Ps|Pe|Pi|Pf|Po|S|Sm|Sc|Sk|So|Z|Zs|Zl|Zp|C|"
    "Cc|Cf|Cs|Co|Cn|Letter|Cased_Letter|Uppercase_Letter|Lowercase_Letter|Titlecase_Letter|"
    "Modifier_Letter|Other_Letter|Mark|Combining_Mark|Nonspacing_Mark|Spacing_Mark|Enclosing_Mark|"
    "Number|Decimal_Number|digit|Letter_Number|Other_Number|Punctuation|punct|"
    "Connector_Punctuation|Dash_Punctuation|Open_Punctuation|Close_Punctuation|"
    "Initial_Punctuation|Final_Punctuation|Other_Punctuation|Symbol|Math_Symbol|Currency_Symbol|"
    "Modifier_Symbol|Other_Symbol|Separator|Space_Separator|Line_Separator|Paragraph_Separator|"
    "Other|Control|cntrl|Format|Surrogate|Private_Use|Unassigned"
)
_BINARY = late_regex(
    "ASCII_Hex_Digit|AHex|Alphabetic|Alpha|Bidi_Control|Bidi_C|Bidi_Mirrored|Bidi_M|"
    "Case_Ignorable|CI|Cased|Changes_When_(?:Casefolded|Casemapped|Lowercased|Titlecased|"
    "Uppercased)|CW[CMLTU]|CWCF|CWCM|Dash|Default_Ignorable_Code_Point|DI|Deprecated|Dep|"
    "Diacritic|Dia|Emoji|Emoji_(?:Component|Modifier|Modifier_Base|Presentation)|EComp|EMod|"
    "EBase|EPres|Extended_Pictographic|ExtPict|Extender|Ext|Grapheme_Base|Gr_Base|"
    "Grapheme_Extend|Gr_Ext|Hex_Digit|Hex|IDS_Binary_Operator|IDSB|IDS_Trinary_Operator|IDST|"
    "ID_Continue|IDC|ID_Start|IDS|Ideographic|Ideo|Join_Control|Join_C|"
    "Logical_Order_Exception|LOE|Lowercase|Lower|Math|Noncharacter_Code_Point|NChar|"
    "Pattern_Syntax|Pat_Syn|Pattern_White_Space|Pat_WS|Quotation_Mark|QMark|Radical|"
    "Regional_Indicator|RI|Sentence_Terminal|STerm|Soft_Dotted|SD|Terminal_Punctuation|Term|"
    "Unified_Ideograph|UIdeo|Uppercase|Upper|Variation_Selector|VS|White_Space|space|"
    "XID_Continue|XIDC|XID_Start|XIDS"
)
_SCRIPT = re.compile(r"(Script|sc|Script_Extensions|scx)=([A-Z][A-Za-z_]*)")
_WHOLE: dict[str, Ranges] = {"Any": [(0, _LAST)], "ASCII": [(0, 127)]}


def property_set(name: str, negated: bool) -> Ranges | str:
    """The characters of `\\p{name}`; raises ValueError if JavaScript does not have the property."""
    if name in _WHOLE:
        return complement(_WHOLE[name]) if negated else _WHOLE[name]
    letter = "P" if negated else "p"
    if name == "Assigned":
        return r"\p{Cn}" if negated else r"\P{Cn}"
    value = re.sub(r"^(?:General_Category|gc)=", "", name)
    if _CATEGORY.fullmatch(value):
        return f"\\{letter}{{gc={value}}}"
    found = _SCRIPT.fullmatch(name)
    known = (
        f"{'scx' if found[1] in ('scx', 'Script_Extensions') else 'sc'}={found[2]}"
        if found
        else name
    )
    if found or _BINARY.fullmatch(name):
        try:
            regex.compile(f"\\{letter}{{{known}}}")
        except regex.error:
            pass
        else:
            return f"\\{letter}{{{known}}}"
    raise ValueError(f"there is no character property `{name}`")
