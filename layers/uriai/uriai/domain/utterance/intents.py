"""What a text wants: patterns of words, tried in an order in which the more particular wish comes first."""

from __future__ import annotations

import re
from enum import StrEnum


class Intent(StrEnum):
    """Everything that can be asked of the chatbot."""

    GREET = "greet"
    SUMMARY = "summary"
    DETAILS = "details"
    COUNT = "count"
    COMPARE = "compare"
    COVERAGE = "coverage"
    STATUS = "status"
    MASKED_COPY = "masked_copy"
    TREND = "trend"
    SUBSCRIBE = "subscribe"
    UNSUBSCRIBE = "unsubscribe"
    ENROL = "enrol"
    HELP = "help"
    UNKNOWN = "unknown"


CODE = re.compile(
    r"(?<![0-9a-z-])((?=[0-9a-z-]*\d[0-9a-z-]*\d)[a-hjkmnp-tv-z][0-9a-hjkmnp-tv-z]{4}-[0-9a-hjkmnp-tv-z]{5})(?![0-9a-z-])"
)
"""An enrolment code: twice five Crockford characters, the first a letter, two or more figures: no word is one."""

_GREETING = re.compile(
    r"^\W*(?:안녕(?:하세요|하십니까|하신가요|히)?|하이|헬로우?|반가워요?|반갑습니다|처음\s*뵙겠습니다|ㅎㅇ|"
    r"여보세요|좋은\s*(?:아침|오후|저녁|하루|밤)(?:입니다|이에요|이네요)?|굿모닝|"
    r"(?:hi|hello|hey|hiya|howdy|greetings|good\s+(?:morning|afternoon|evening|day|night)|"
    r"annyeong(?:haseyo)?)(?:\s+there)?(?![a-z]))"
    r"(?:\s*(?:[!~.,?]|\^\^|ㅎ|ㅋ|uri-?ai|우리ai|챗봇|봇))*\s*"
)
_THANKS = re.compile(r"^\W*(?:감사|고마|수고|땡큐|thanks?\b|thank you|cheers\b)(?:[가-힣]*|[a-z ]{0,20})[\s!~.^ㅎㅋ]*$")

_OFF_TOPIC = re.compile(
    r"날씨|식단|급식|메뉴|농담|주식|코인|환율|노래|음악|영화|드라마|축구|야구|뉴스|맛집|번역|심심|사랑해|로또|"
    r"운세|게임|생일|몇\s*살|이름이?\s*뭐|무시하고|프롬프트|"
    r"시스템\s*(?:명령|메시지)|\bweather\b|\bjokes?\b|\bstocks?\b|\bbitcoin\b|\bsongs?\b|\bmusic\b|\bmovies?\b|"
    r"\bfootball\b|"
    r"\bsoccer\b|\bbaseball\b|"
    r"\brecipes?\b|\bpoem\b|\bmenu\b|\bfor lunch\b|\blotter?y\b|\bhoroscope\b|\btranslate\b|\bi love you\b|"
    r"\bcapital of\b|"
    r"\bignore\s+(?:all|any|your|the|previous)\b|\bprompt\b|\bsystem message\b|\bdrop\s+table\b|"
    r"\bselect\s+.{1,40}\s+from\b|\bunion\s+select\b|"
    r"\bdelete\s+from\b|\binsert\s+into\b|--\s*$|;\s*--|'\s*or\s*'?1|<script|\bpassword\b|비밀번호"
)

_REPEATS = re.compile(
    r"매일|매주|매달|매월|날마다|아침마다|저녁마다|마다|\bevery\s+(?:day|morning|evening|afternoon|night|week|"
    r"month|hour|mon|tue|wed|thu|"
    r"fri|sat|sun)|"
    r"\beach\s+(?:day|morning|evening|week)|\bdaily\b|\bweekly\b"
)
_SENDS = re.compile(
    r"보내|알려|받[고을아기]|요약|보고|알림|전송|digest|summary|report|send|get|give|notif|alert|message|update|"
    r"tell|receive|want|remind"
)

_ORDER: list[tuple[Intent, re.Pattern[str]]] = [
    (
        Intent.UNSUBSCRIBE,
        re.compile(
            r"구독\s*(?:을|은|좀)?\s*(?:취소|해지|해제|중지|그만|끊|끄|안)|(?:알림|알람|보고|요약|메시지|문자|"
            r"소식|다이제스트)\s*(?:은|는|을|를|좀|이제)*\s*"
            r"(?:그만|중지|중단|끄|꺼|끊|해제|취소|안\s*받|받지\s*않|받기\s*싫|받고\s*싶지|필요\s*없|해지|정지|"
            r"보내지\s*마)|그만\s*(?:보내|받|알려)|보내지\s*마|"
            r"수신\s*거부|"
            r"^\s*(?:그만|중지|중단|해지|멈춰|스톱|정지)(?:해|해줘|해\s*주세요|하기|요|할래)?\W*$|\bunsubscribe\b|"
            r"^\W*(?:please\s+)?stop\W*(?:please\W*|it\W*|now\W*)?$|"
            r"\bstop\s+(?:sending|notif|alert|messag|digest|daily|weekly|the\s+(?:alert|digest|messag|notif|daily|"
            r"weekly|update|summar|report)|my\s)|"
            r"\bturn\s+(?:\w+\s+){0,3}off\b|\bturn off\b|\b(?:alerts|notifications|digests?) off\b|\bmute\b|"
            r"\bcancel\s+(?:\w+\s+){0,3}"
            r"(?:subscription|digests?|alerts?|notifications?|updates?|summar(?:y|ies)|reports?)|"
            r"\bno more\s+(?:\w+\s+)?(?:alerts?|messages?|notifications?|digests?|updates?)|"
            r"\b(?:don't|do not)\s+(?:want|send|notify|alert|message)|\bopt(?:ing)? out\b|"
            r"\bdisable\s+(?:\w+\s+)?(?:alerts?|notifications?|digests?)"
        ),
    ),
    (
        Intent.SUBSCRIBE,
        re.compile(
            r"구독|(?:알림|알람)\s*(?:을|를|좀|도)?\s*(?:켜|설정|받|신청|등록|해\s*줘|해\s*주|주세요|보내|원|시작|"
            r"부탁)|"
            r"(?:생기면|발생하면|감지되면|일어나면|나오면|뜨면|터지면|생길\s*때|발생할\s*때|"
            r"발생\s*시)\s*(?:\S+\s*){0,3}(?:알려|연락|보내|알림|통보|말해)|"
            r"\bsubscri(?:be|ption)|\bnotify me\b|\balert me\b|\b(?:turn on|enable|set up|start|switch on|"
            r"activate)\s+(?:\w+\s+){0,3}(?:alerts?|notifications?|digests?|updates?)|"
            r"\blet me know\s+(?:when|whenever|as soon as|if (?:something|anything) (?:happens|comes up))|"
            r"\b(?:alerts|notifications) on\b|\bsign me up for\b|\bwarn me\b"
        ),
    ),
    (
        Intent.ENROL,
        re.compile(
            r"(?:사용자|회원|신규|계정|나를|저를|본인)\s*등록|등록\s*(?:코드|번호|하고|할|하려|해|방법|신청|하기|"
            r"은|을|부탁|절차|\W*$)|가입|인증\s*(?:코드|번호|하)|"
            r"코드\s*(?:를|을)?\s*(?:입력|등록|받)|연동|"
            r"\benrol(?:l|led|ling|ment|lment)?\b|\bsign\s?-?up\b|\bsign me up\b|\bregister\b|\bregistration\b|"
            r"\bactivation code\b|\bmy code\b|\blink my account\b|\bactivate my account\b"
        ),
    ),
    (
        Intent.MASKED_COPY,
        re.compile(
            r"마스킹|마스크\s*(?:된|처리|한|본)|모자이크|블러|비식별|(?:얼굴|"
            r"다른\s*아이)\S*\s*(?:\S+\s*)?(?:가[린려리]|지[운워]|안\s*보이)|가린\s*(?:영상|"
            r"사본|복사본|파일|동영상|클립)|사본|복사본|"
            r"\bmask(?:ed|ing|s)?\b|\bblurr?(?:ed|ing)?\b|\bpixelat|\bmosaic|\banonymi[sz]|\bredact|"
            r"\b(?:a\s+)?copy of\b|\bde-?identif"
        ),
    ),
    (
        Intent.COMPARE,
        re.compile(
            r"비교|대비|견주|차이|(?:보다|에\s*비해|비해서?)\s*(?:\S+\s*){0,5}(?:늘|줄|많|적|증가|감소|나아|심해|"
            r"나빠|좋아|어때|어떤|어땠)|(?:늘었|줄었|늘어났|"
            r"줄어들|증가했|감소했)|\bcompar(?:e|ed|ing|ison)\b|\bvs\b|\bversus\b|"
            r"\bdifferen(?:ce|t)\b|\b(?:more|fewer|less|better|worse|higher|lower)\b(?:\s+\w+){0,4}\s+than\b|"
            r"\bwhat(?:'s| has| is)? changed\b|\bagainst\s+(?:the\s+)?(?:last|previous|week|month|day)|"
            r"\b(?:up|down) (?:from|on) (?:last|the)"
        ),
    ),
    (
        Intent.TREND,
        re.compile(
            r"추세|추이|통계|정밀도|정확도|신뢰도|믿을\s*만|오탐|오경보|"
            r"\bprecision\b|\breliab|\bfalse alarms?\b|\baccura|"
            r"경향|트렌드|그래프|차트|도표|히트맵|(?:시간대|요일|날짜|일자|시간|일|주|월|"
            r"주차)\s*별|변화|패턴|흐름|\btrends?\b|\btrending\b|"
            r"\bgraphs?\b|\bcharts?\b|\bplots?\b|\bheat\s?maps?\b|"
            r"\bover time\b|\b(?:by|per|for each|each)\s+(?:the\s+)?(?:day|hour|week|month|weekday)(?:s)?\b|"
            r"\b(?:hourly|daily|weekly|monthly)\s+(?:counts?|numbers?|breakdown|statistics|stats|trends?|figures|"
            r"totals?)|"
            r"\bpatterns?\b|\bday of (?:the )?week\b|\bhour of (?:the )?(?:day|week)\b"
        ),
    ),
    (
        Intent.COUNT,
        re.compile(
            r"몇\s*(?:건|회|차례|가지|개|명|번(?!\s*(?:카메라|cctv|씨씨티비|호기|사건)))|건수|횟수|개수|"
            r"총\s*(?:몇|얼마)|얼마나\s*(?:많|자주|있|발생)|숫자|"
            r"\bhow many\b|\bhow often\b|\b(?:the\s+)?(?:total\s+)?number of\b|\bcounts?\b|\btotals?\b|\bhow frequent"
        ),
    ),
    (
        Intent.COVERAGE,
        re.compile(
            r"구멍|공백|빈\s*(?:시간|구간|부분)|누락|(?:녹화|촬영|기록)\s*(?:가|는|이|은|도)?\s*(?:안|되지|끊|"
            r"중단|빠|누락|됐|되었|되고|잘|제대로|정상|상태|여부|현황|"
            r"시간|되나|되는|됩|된\s*시간|율|공백|멈)|"
            r"안\s*(?:찍|녹화|잡힌|나온|나오)|찍히지|(?:못|안)\s*찍|꺼[져졌진지]|꺼\s*(?:져|졌)|끊[겼긴어]|"
            r"오프라인|먹통|고장|커버리지|멈[췄춘]|(?:카메라|cctv|"
            r"씨씨티비|호기|기기|장비|녹화기|\x00)\s*(?:\S*\s+){0,3}(?:잘|정상|작동|동작|돌아가|켜져|멀쩡|상태)|"
            r"\bcoverage\b|\bholes?\b|\bgaps?\b|\boffline\b|\bonline\b|\b(?:was|were|went|is|are|been|go|"
            r"gone)\s+(?:\w+\s+){0,3}(?:dark|black|down|dead)\b|\brecord(?:ing|ed|s)?\b(?!\s+(?:incidents?|abuse|"
            r"cases?|events?))|"
            r"\bmissing\s+(?:footage|video|recordings?|minutes|hours)|\bblackouts?\b|\boutages?\b|"
            r"\bdrop(?:ped)?[- ]?outs?\b|\bworking\b|\bbroken\b|\brunning\b|\buptime\b|\bdisconnect|"
            r"\bcameras?\s+(?:\w+\s+){0,2}(?:ok|okay|fine|healthy)\b|"
            r"\bstop(?:ped)? (?:recording|filming|working)\b"
        ),
    ),
    (
        Intent.STATUS,
        re.compile(
            r"상태|어떻게\s*(?:됐|되었|되[고는어나었]|된|처리|진행|돼)|어찌\s*(?:됐|되)|진행|(?:처리|조사|검토|"
            r"신고|수사|조치)\s*(?:상황|결과|현황|됐|되었|된|중|여부|"
            r"완료|했|하고|끝|접수|들어|는|가|대기|내용|단계)|접수|출동|경찰|종결|결론|"
            r"대기\s*(?:중|건|하는|상태)|전문가|판정|해결|\bstatus(?:es)?\b|\bprogress\b|\bwhat happened (?:to|"
            r"with)\s+(?:\x00|"
            r"incident|case|number|#|\d)|\breported (?:yet|to)\b|\bpolice\b|\bpending\b|"
            r"\bwaiting\s+(?:for|on)\b|\bawaiting\b|\b(?:under|in|been|still) review(?:ed)?\b|\bdecided\b|"
            r"\bdecision\b|\boutcome\b|\bresolved\b|\b(?:been|was|is|it|already) (?:closed|reported|dismissed|"
            r"dispatched)\b|\bdispatched\b|"
            r"\bupdates? on\s+(?:\x00|incident|case|number|#|\d)|\bhow is (?:\x00|incident|case)"
        ),
    ),
    (
        Intent.DETAILS,
        re.compile(
            r"자세|상세|구체|디테일|세부|더\s*(?:알려|보여|말해|볼|보기|알고)|몇\s*시|언제|사진|이미지|장면|캡처|"
            r"캡쳐|근거|증거|영상|클립|설명|"
            r"\bdetail(?:s|ed)?\b|\bmore\s+(?:about|info|information|on)\b|\btell me more\b|\belaborate\b|"
            r"\bin depth\b|\bexplain\b|\bevidence\b|\bpictures?\b|\bphotos?\b|\bimages?\b|\bfootage\b|\bclips?\b|"
            r"\bvideos?\b|"
            r"\bwhat time\b|\bwhen (?:did|was|were|exactly|is)\b|\bfull (?:report|story|account)\b|\bexactly what\b|"
            r"\bspecifics\b|\bscreenshots?\b"
        ),
    ),
    (
        Intent.HELP,
        re.compile(
            r"도움말|도움|도와|헬프|사용\s*(?:법|방법|설명)|어떻게\s*(?:써|사용|쓰|물어|이용|해야|하는)|(?:뭐|"
            r"무엇|뭘|무얼|어떤\s*(?:것|걸|거|질문|일))\s*(?:을|를|"
            r"가|이)?\s*(?:할|물어볼|해\s*줄|도와|질문할)|할\s*수\s*있는\s*(?:것|게|거|일|기능)|기능|명령어|메뉴얼|"
            r"(?:너|넌|당신|네가|니가)\s*(?:는|은)?\s*(?:누구|뭐)|\bhelp\b|\bwhat can (?:you|i|this)\b|"
            r"\bhow (?:do|can|should|"
            r"does|to)\b(?:\s+\w+){0,3}\s+(?:use|ask|work|works)\b|\binstructions?\b|\bcommands?\b|\busage\b|"
            r"\bmanual\b|"
            r"\bguide\b|\bwhat do you do\b|\bwho are you\b|\bwhat are you\b|\bwhat (?:questions|things)\b|"
            r"^\W*\?+\W*$|\boptions\b"
        ),
    ),
]

_SUMMARY = re.compile(
    r"무슨\s*일|별\s*일|별다른|특이\s*사항|이상\s*(?:은|이|한|행동|징후|없|있)|요약|보고|사건|사고|학대|의심|현황|"
    r"상황|브리핑|탐지|감지|검출|발생|위험|안전|괜찮|일\s*(?:이|"
    r"은)?\s*(?:있었|없었)|다친|싸[웠움우]|"
    r"\bhappen(?:ed|s|ing)?\b|\boccur|\bsummar|\breports?\b|\bincidents?\b|\banything\b|\babuse\b|\boverview\b|"
    r"\bdetect(?:ed|ions?)\b|\bgoing on\b|\brecap\b|\bwent on\b|\bcases?\b|\bbriefing\b|\bhurt\b|\bsafe\b"
)


def is_off_topic(text: str) -> bool:
    """Whether a text is about something else altogether, or is no question at all but an attempt."""
    return bool(_OFF_TOPIC.search(text))


def without_greeting(text: str) -> tuple[str, bool]:
    """The text behind its greeting, as long as before (the greeting blanked), and whether there was one."""
    greeted = False
    while (match := _GREETING.match(text)) is not None and match[0].strip():
        text, greeted = " " * match.end() + text[match.end() :], True
    return text, greeted


def is_thanks(text: str) -> bool:
    """Whether a text only thanks."""
    return bool(_THANKS.match(text))


def repeats(text: str) -> bool:
    """Whether something is wanted again and again, which makes its times a timetable and no range."""
    return bool(_REPEATS.search(text) and _SENDS.search(text))


def wished(text: str, *, dated: bool, repeating: bool) -> Intent | None:
    """The intent that the words of a text show, None if they show none.

    Parameters
    ----------
    text:
        Lower case, normalised, with what was read as camera, number or name hidden.
    dated:
        Whether it also names a day: "daily report for yesterday" is one report, "daily report" a wish for more.
    repeating:
        Whether it names a timetable ("매일", "every Monday").
    """
    if CODE.search(text):
        return Intent.ENROL
    for intent, pattern in _ORDER:
        if intent is Intent.SUBSCRIBE and repeating and not dated:
            return intent
        if pattern.search(text):
            return intent
    return Intent.SUMMARY if _SUMMARY.search(text) else None
