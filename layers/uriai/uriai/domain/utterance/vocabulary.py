"""Words that questions are made of, so that what is left over can be taken for a centre's name."""

from __future__ import annotations

import re

_OWN = """
우리 저희 내 제 우리동네 이 그 저 해당 본 모든 각 전체 다른 어느 어떤 무슨
"""
_SOME = """
지역 관할 구역 여기 거기 저기 같은 전부 모두 근처 주변 일부 대부분 나머지
"""
_KOREAN = """
뭐 뭔가 무엇 어디 언제 누가 누구 얼마 얼마나 어떻게 어떤 어느 무슨 혹시 그리고 그럼 그러면 그래서 근데 그런데
또한 제발 빨리 지금 현재 지금까지 방금 우리 저희 나한테 저한테 제가 내가 선생님 원장 원장님 교사 보육교사 아이
아이들 애들 원아 원생 아동 경찰 경찰서 전문가 부모 학부모 담당자 사람 사건 사고 이슈 문제 상황 현황 내용 결과
소식 기록 내역 목록 리스트 통계 집계 건수 횟수 합계 전체 전부 모두 모든 개수 수치 별일 특이사항 특이 발생 감지
탐지 검출 적발 의심 학대 신고 접수 출동 처리 진행 상태 조치 종결 기각 검토 판정 대기 확인 조회 검색 요약 정리
보고 보고서 브리핑 알림 알람 영상 비디오 동영상 사진 이미지 화면 캡처 장면 클립 카메라 씨씨티비 시시티비 호기
기기 장비 녹화 녹화기 공백 구멍 누락 고장 정상 작동 동작 커버리지 오프라인 온라인 연결 마스킹 모자이크 사본
복사본 원본 파일 구독 해지 취소 중지 그만 정지 등록 가입 코드 인증 연동 도움 도움말 사용 사용법 방법 기능 안녕
감사 수고 동안 사이 하루 하루종일 종일 내내 매일 매주 매달 시간 시간대 시간대별 요일 요일별 일별 주별 월별 날짜
기간 사이에 이후 이전 이상 이하 가장 제일 주요 마지막 처음 최초 최신 새로운 지역 구역 관할 센터 어린이집 유치원
교실 놀이터 복도 거실 식당 정도 관련 대해 대한 대해서 관한 관해 자세 자세히 상세 상세히 상세하게 구체적
구체적으로 간단히 간단하게 간략히 짧게 비교 대비 차이 증가 감소 추세 추이 경향 그래프 차트 변화 흐름 패턴 여기
거기 저기 이거 그거 저거 이것 그것 이건 그건 것들 한번 다시 다른 같은 정말 진짜 조금 많이 아주 매우 바로 즉시
계속 아직 벌써 이미 혹은 또는 신체 정서 정서적 신체적 방임 폭행 기기이상 학대의심 건이 분만 오전 오후 새벽 아침
저녁 점심 이번 지난 다음 최근 저번 중에 통틀어 위주 부탁 부탁해 시작 끝 어때 어땠어 어땠 뭐야 뭐가 뭔데 몇건
몇번 몇시 몇호기 알려줄래 말고 제외 빼고 아니라 특별 별다른 유형 유형별 종류 종류별 카메라별 순서 부터 까지
에서 에서는 보다 에는 이랑 하고 대로 때문에 오늘 어제 그제 그저께 내일 모레 금일 작일 주말 이틀 사흘 나흘 열흘
올해 작년 재작년 이번달 지난달 지난주 이번주 저번주 지지난주 그래 아니 아니요 오케이 테스트 질문 대답 답변
메시지 문자 카톡 채팅 챗봇 안전 위험 괜찮 강한 약한 심한 경우 이유 원인 근거 증거 이벤트 데이터 정보
정확도 정확 정확해 정확한 정밀도 신뢰도 오탐 오탐률 오경보 믿을 만한 높아 높은 낮아 낮은
들어 들어서 얼굴 믿을만 믿을만한 믿을만해 초반 중반 후반 중순 상순 하순 그동안 요즘 요새 별로 특히 전후 무렵 즈음
당시 도중 대낮 한낮 밤중 한밤중 심야 등원 하원 낮잠 간식 식사 급식 점심시간 낮잠시간 자유놀이 놀이시간 등원시간
하원시간 원감 주임 담임 어머니 아버지 아빠 아기 문의 연락 번호 순번 목격 비명 고함 눈물 상처 부상 혼자 혼자서
가해 피해 가해자 피해자 처분 결정 승인 거절 미결 미처리 완료 담당 판단 위치 장소 주변 근처 구석 앞문 뒷문 출입구
입구 계단 옥상 주차장 운동장 강당 도서실 조리실 사무실 좌측 우측 오른쪽 왼쪽 첫번째 두번째 세번째 얘기 혹시나 아무
아무것도 아무일 아무도 전혀 설마 역시 실제 실제로 진짜로 대충 대략 정확히 최소한 적어도 새로 추가 추가로 그외
나머지 일부 대부분 절반 이틀간 사흘간 일주일 보름 한달 반나절 이쪽 저쪽 그쪽 따로 각각 합해서 처음부터 끝까지 부분
구간 근무 시간별 당일 전날 다음날 이튿날 평일 주중 휴일 공휴일 방학 심각 심각한 위급 긴급 급한 중요 중요한 미확인
확정 확정된 의심스러운 이상한 수상한 있는지 없는지 문서 자료 첨부 링크 주소 공유 다운로드 재생 재전송 전송 발송
"""
_NEVER_IN_NAMES = """
a an the our my your this that any all each every at in on for from of to by with about and or is was were are
did does do has have had what which who when where why how anything happened incidents incident summary report
yesterday today tomorrow monday tuesday wednesday thursday friday saturday sunday january february march april
june july august september october november december week month year morning afternoon evening night camera
cameras cctv show tell give list details status hi hello
"""
_ENGLISH = """
a an the this that these those it its i me my mine we us our ours you your yours he she they them their there
here who whom whose which what when where why how is are was were be been being am do does did done doing have
has had having can could will would shall should may might must let lets please thanks thank hi hello hey and
or but not no nor so if then than as at by for from in into of off on onto out over to up down with without
about above after again against all any anything both each either else ever every everything everyone few first
last least less more most much many next none nothing now once one only other others own same several some
something such too under until very via while within yes yet also just still even really quite kindly ok okay
fine well good bad new old big small today yesterday tomorrow tonight morning afternoon evening night noon
midnight dawn lunch lunchtime day days week weeks month months year years hour hours minute minutes second
seconds time times date dates ago since between before during past recent recently late later early earlier
weekend weekends daily weekly monthly hourly monday tuesday wednesday thursday friday saturday sunday mon tue
tues wed thu thur thurs fri sat sun january february march april june july august september october november
december jan feb mar apr jun jul aug sep sept oct nov dec pm o'clock clock half quarter kst utc camera cameras
cam cams cctv video videos footage clip clips picture pictures photo photos image images frame frames recording
recordings record recorded records recorder incident incidents case cases event events abuse abuses physical
emotional neglect neglected tamper tampering tampered violence violent assault assaults shouting fault faults
device equipment problem problems issue issues trouble report reports reported reporting summary summaries
summarise summarize overview detail details detailed information info list lists show shows shown tell tells
told give gives gave get gets got send sends sent see seen look find found check happen happens happened
happening occur occurs occurred detect detected detection detections count counts counted number numbers total
totals compare compared comparison comparing versus vs difference trend trends chart charts graph graphs plot
pattern patterns status statuses state progress update updates outcome decision decided review reviewed reviews
reviewing pending waiting wait expert experts police officer officers station director centre center centres
centers daycare day-care nursery kindergarten childcare school preschool child children kid kids teacher
teachers staff person people adult adults class room rooms playroom hall classroom masked mask masking blur
blurred mosaic copy copies evidence link links hole holes gap gaps coverage covered offline online dark broken
working running missing subscribe subscription unsubscribe stop start digest alert alerts notify notification
notifications message messages mute enrol enroll enrolment register registration code sign help command
commands manual guide guess use used using want wanted wants need needed needs like know knew think say said
mean ask asked asking question questions answer go goes going went gone come came make made take took taken put
turn turned keep kept left alone wrong right serious strongest worst highest suspicious suspected confirmed
dismissed closed resolved dispatched open strange unusual moment moments span spans kind kinds type types
breakdown statistics stats frequent often anyone someone nobody region regions district area local quick brief
briefly full whole entire complete latest current currently far per hit hits beaten slapped hurt cry crying
safe safety regarding concerning around through throughout along across near inside outside version exactly
specifics morning's today's reliable reliability accurate accuracy precise precision false alarm alarms trust
"""

OWN = frozenset(_OWN.split())
"""Before 어린이집 these name no centre."""
SOME = frozenset(_SOME.split())
"""Before 어린이집, and written onto it, these mean some centres or other; any other word may be a centre's name."""
KOREAN = frozenset(_KOREAN.split())
"""Korean words of questions, without particles."""
NEVER_IN_NAMES = frozenset(_NEVER_IN_NAMES.split())
"""English words that no centre's name has just before "daycare", even with a capital letter."""
ENGLISH = frozenset(_ENGLISH.split())
"""English words of questions, in lower case."""

KOREAN_STEMS = re.compile(
    "알려|알고|알림|알아|보여|보내|보고|볼수|봐줘|말해|말씀|주세|줄래|해줘|해주|하고|하는|했어|했나|했는|했던|하나|하면|할게|할수|합니|하지|해서|있었|있어|있나|있는|있으|있습|있니|있냐|있던|"
    "없었|없어|없나|없는|없으|없습|되었|됐어|됐나|됐는|되고|되나|된거|된건|됩니|되는|어떻|어때|어땠|늘었|늘어|줄었|줄어|많았|많은|많아|많이|적었|적은|찍혔|찍힌|찍히|안찍|꺼졌|꺼진|켜져|켜줘|꺼줘|"
    "끊겼|끊긴|멈췄|멈춘|일어|나왔|나온|생겼|생긴|생기|발생|감지|탐지|의심|신고|접수|처리|진행|확인|조회|정리|요약|비교|검토|종결|자세|상세|구체|녹화|돌아가|돌아갔|작동|부탁|궁금|싶어|싶은|싶습|"
    "받고|받을|받아|받기|그만|중지|등록|가입|구독|취소|때렸|때린|때리|맞았|맞은|울었|다친|다쳤|싸웠|학대|가린|가려|괜찮|안녕|반가|감사|고마|수고|도와|도움|사용|물어|이었|였어|였나|이야|인가|"
    "원장실|교무실|현관|마당|주방|화장실|놀이실|다툼|싸움|울음|폭언|욕설|"
    "그랬|그런|이랬|이런|저런|지난|이번|저번|최근|지지난|넘어|넘긴|넘겼|아동|신체|정서|폭행|폭력|구타|체벌|방임|방치|기기|블러|렌즈|증감|전주|무슨|어느|어떤|누가|누구|언제|어디|몇시|몇건|몇번|몇개|몇명|뭐가|뭐라|뭐했|뭔지|무엇|별일|시간대|요일별|사건|사고|카메라|씨씨티비|"
    "모자이|마스킹|사진|영상|동영상|경찰|대기|기다|남은|남아|나눠|"
    "주시|드려|드리|가능|필요|보자|봅시|찾아|골라|뽑아|그려|만들|최고|최대|최소|평균|합쳐|통계"
)
"""How verbs and nouns of questions begin."""
KOREAN_ENDINGS = re.compile(
    "(?:해서|돼서|되서|하여|되어|니다|니까|세요|어요|아요|해요|나요|가요|까요|래요|줘요|게요|네요|군요|지요|죠|줘|했어|었어|았어|있어|없어|는데|은데|는지|을까|었나|았나|었는지|했나|던데|"
    "해봐|봐봐|하자|할래|야돼|냐고|다고|라고)$"
)
"""How verbs of questions end."""
