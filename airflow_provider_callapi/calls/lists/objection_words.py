"""The words in which lists write of objections to calls, and what they mean side by side.

The tables list the words of each kind. `kinds_of` replaces these words by their kind, so that ``Согласие
отозвано`` becomes ``CONSENT GONE``. The rules read only the kinds.
"""

from __future__ import annotations

import re


def any_of(*words: str) -> str:
    """Return a regular expression for words. ``*`` stands for any ending, and ``_`` for a blank."""
    alternatives = "|".join(" ".join(words).split())
    return rf"\b(?:{alternatives})\b".replace("*", r"\w*").replace("_", " ")


_KINDS = {
    "OBJECTED": any_of(
        "dncr? d_n_c opt_?out opted_?out unsubscri* black_?list* stop_?list* nocalls? stop_?call* uncallable",
        "dono?t(?:call|contact|phone) (?:do_not|dont)_phone not_to_call no_more_calls wants_no_calls",
        "(?:not_to|must_not|(?:not|doesnt|dont)_(?:want|wish)_to)_be_(?:called|contacted)",
        "no_(?:phone_)?calls_please",
        "опт_?аут отписан* стоп_?лист* черн*_спис* незвони(?:ть|т|те)? звон(?:ок|ки)_не_нуж*",
        "(?:без|никаких)_звонков (?:прекрат|перестан|хватит)*_звон* не_(?:хо|жел)*_получать_звон*",
        "бл[эе]клист* (?:исключ|удал|убер|убрать)*_из_(?:баз*_|списк*_)?(?:об)?звон*",
        "remove*_from_(?:the_)?call*_list*",
        "sperrvermerk* чорн*_сп[иі]с* kara_liste* қара_тізім* qora_ro_?yxat*",
        "robinson_?list* (?:werbe|anruf)sperre keine_(?:werbe)?anrufe",
        "nicht_(?:mehr_)?angerufen_werden anrufverbot werbewiderspr* ne_pas_appeler no_llamar",
        "не_дзвонити не_телефонувати қоңырау_шалма(?:ң|ңыз|ңыздар|сын|у)? хабарласпа(?:ң|ңыз|ңыздар|сын|у)?",
        "мазалама(?:ң|ңыз|ңыздар|сын|у)? қоңырау_шалу*_(?:болмайды|тыйым*) қоңырау_шалмау*",
        "не_тэлефан* не_званіць aramay[ıi]n* aran(?:mas[ıi]n|mak_istemiyor)",
        "אין_להתקשר לא_להתקשר չզանգել არ_დარეკოთ q[oў]_?ng_?iroq_qilma* қўнғироқ_қилма*",
    ),
    "CONSENT": any_of(
        "consent* opt_?in opted_?in callable contactable",
        "согласи[еяюй] согласием соглас[еи]н согласн[аы] согласил(?:ся|ась)",
        "einwilligung* zustimmung* einverst(?:anden|ändnis)* келісім келісімі",
        "згод[аи] rozilig?[ki]* розилик iznin? համաձայնություն* თანხმობა הסכמה",
    ),
    "ALLOW": any_of("allow(?:s|ed)? permit(?:s|ted)? permissions? ok(?:ay)?_to можно разреш*"),
    "FORBID": any_of("forbid* prohibit* запре* нельзя"),
    "REFUSE": any_of(
        "refus* objects?_to отказ* отписк* против жалоб* несоглас(?:ен|на|ны|ие)",
        "widersprochen widerspruch* бас_тарт*",
    ),
    "GONE": any_of(
        "withdr* revok* revoc* expired denied deny declin* missing cancel* lifted remov* disabled out_of",
        "удален* исключен* отзыв* отозв* аннулир* истек истекл*",
        "отмен* снят* просроч* недейств* неактуальн* отсутств* widerruf* erloschen abgelehnt",
    ),
    "ABOUT": any_of(
        "checks? checked scrub* links? urls? href texts? sources? counts? counter templates?",
        "провер* сверен* ссылк* текст* источник* количеств* кол шаблон*",
    ),
    "DONT": any_of("do_not dont never не nicht"),
    "NO": any_of("not no non without isnt нет без kein keine ohne nein жоқ"),
    "WANT": any_of("wants? wish* need* надо нужно нужны следует хочет хочу хотят желает"),
    "CALL": any_of(
        "call contact dial disturb anrufen kontaktieren звонить звоните звони беспокоить беспокойте",
        "связываться связывайтесь контактировать контактируйте тревожить тревожьте набирать",
        "обзванивать перезванивать названивать общаться",
    ),
    "CALLS": any_of(
        "calls calling telemarketing marketing communications? звонок звонк[аио]* обзвон* контакты контактов",
        "коммуникац* реклам* общени*",
    ),
    "DOOR": any_of("домофон* двер* doorbell bell intercom"),
    "WHEN": any_of(
        "before after until till from on at between time hours? am pm с до после раньше ранее перед",
        "позже время часы час часов часа утра вечера дня ночи обеда мск утром вечером днем ночью выходным",
        "vor nach bis ab von zwischen uhr",
    ),
}
"""Kind → its words, as a regular expression. The first kind wins: ``do not`` is no ``not``."""
_PATTERNS = [(kind, re.compile(pattern)) for kind, pattern in _KINDS.items()]
_YES_OR_NO = re.compile(any_of("да_нет нет_да yes_no no_yes y_n"))
_SMALL = re.compile(
    any_of(
        "a an the to be been is are was were has had have in of for any only ever yet please",
        "в во на из от со ко к по о об для был была было были есть уже еще больше меня мне им ему ей",
        "bitte mehr zu zur zum der die das",
    )
    + " (?=.)"
)
"""Matches small words between other words. The last word of ``не звонить с`` is no small word."""
_NO = "(?:DONT|NO)"
_CONSENT_TO_CALLS = "(?:CONSENT CALLS?|CALLS? CONSENT)"
_RULES = [
    (re.compile(rf"\b(?:{pattern})\b"), meaning)
    for pattern, meaning in (
        (rf"{_NO} (?:GONE|REFUSE|FORBID)", "ALLOW"),  # consent not withdrawn
        (rf"{_NO} ALLOW", "FORBID"),
        (rf"(?:{_NO}|GONE) (?:\w+ )?{_CONSENT_TO_CALLS}|{_CONSENT_TO_CALLS} GONE", "STOP"),
        (r"DONT CALL (?:\w+ )?DOOR|REFUSE WHEN CALLS", ""),  # refused after calls
        (r"DONT CALL WHEN(?= WHEN| \d|$)", "HOURS"),  # do not call after 18
        (r"WHEN ?", ""),  # from here, words such as on and from are small words
        (rf"DONT (?:WANT )?CALL|{_NO} WANT CALLS?|CALLS? {_NO} WANT", "STOP"),
        (r"(?:REFUSE|FORBID) (?:\w+ )?CALLS?|CALLS? (?:\w+ )?FORBID", "STOP"),
        (r"ALLOW (?:\w+ )?CALLS?|CALLS? (?:\w+ )?ALLOW", "CONSENT"),
        (rf"{_NO} (?:\w+ )?OBJECTED|OBJECTED NO$", "CLEAR"),  # not on the stop list
        (r"OBJECTED (?:\w+ )?ABOUT|ABOUT (?:\w+ )?OBJECTED|OBJECTED GONE|GONE OBJECTED", ""),
    )
]
"""Kinds side by side → what they mean together: STOP is an objection, CLEAR is that there is none."""
_OTHER_CHANNEL = re.compile(
    any_of(
        "e?mail* sms mms fax* push whatsapp whats_app viber telegram messenger* newsletter* letter*",
        "cookies? почт* смс факс* пуш вотсап вайбер телеграм* мессенджер* рассыл* письм* чат* оферт*",
    )
)
"""Matches words of other ways to reach a person, and of other consents."""
BY_PHONE = re.compile(any_of("call* phone* telephone* tel звон* обзвон* телефон*"))


def kinds_of(words: str) -> str:
    """Return the kinds of words, and what they mean together. Words of no kind stay in lower case.

    :param words: words as `words_of` returns them.
    """
    text = _YES_OR_NO.sub("", words)
    for kind, pattern in _PATTERNS:
        text = pattern.sub(kind, text)
    text = " ".join(_SMALL.sub("", text).split())
    for pattern, meaning in _RULES:
        text = pattern.sub(meaning, text)
    return text


def is_other_channel(words: str) -> bool:
    """Return whether words are only about another channel than calls, such as ``email opt out``."""
    return _OTHER_CHANNEL.search(words) is not None and not BY_PHONE.search(words)
