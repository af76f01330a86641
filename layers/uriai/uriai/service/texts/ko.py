"""Korean."""

TEXTS: dict[str, str] = {
    "day": "{month}월 {day}일",
    "day_with_year": "{year}년 {month}월 {day}일",
    "range_one_day": "{day} {start}-{end} {zone}",
    "range_days": "{first} {start} ~ {last} {end} {zone}",
    "kind_physical": "신체학대",
    "kind_emotional": "정서학대",
    "kind_neglect": "방임",
    "kind_tamper": "기기 이상",
    "status_pending_review": "전문가 확인 대기",
    "status_reported": "경찰 신고됨",
    "status_dismissed": "학대 아님으로 판정",
    "status_dispatched": "경찰 출동",
    "status_closed": "종결",
    "status_open": "조치 필요",
    "status_resolved": "해결됨",
    "bundle_unverified": (
        "주의: 이 사건의 영상 가운데 적어도 하나는 게이트웨이의 서명이 확인되지 않습니다. "
        "그 영상 옆에는 .json이나 .sig가 없거나 맞지 않습니다."
    ),
    "bundle_explanation": """우리AI 증거 묶음

어린이집: {centre}
사건 번호: {number} ({kind}, CCTV {camera}호기)
시간: {start} ~ {end}
묶은 때: {made}
{unverified}
들어 있는 것
- clips/…/*.mp4   원본 영상 (가리지 않음, 바꾸지 않음)
- clips/…/*.json  카메라 게이트웨이가 쓴 기록: 시각, 크기, SHA-256, 앞 기록의 해시
- clips/…/*.sig   그 기록에 대한 Ed25519 서명 (64바이트)
- evidence/…      의심 순간의 사진 (원본과 표시한 것)
- bundle.json     모든 파일의 SHA-256, 증거 행과 그 해시, 게이트웨이의 공개 키

인터넷 없이 확인하는 방법
1. 이 파일의 SHA-256을 다른 경로로 받은 값과 비교하십시오: sha256sum 파일.zip
2. 압축을 풀고 실행하십시오: uriai verify --all 폴더
   끝나는 코드가 0이고 present만 보이면 바뀌거나 빠진 것이 없습니다. 아니면 어느 파일이 어떻게 다른지 나옵니다.
3. 공개 키를 따로 받았다면: uriai verify 폴더 --key 공개키
   우리AI 없이도 Ed25519를 아는 어떤 프로그램으로든 .sig를 .json의 바이트에 대해 확인할 수 있습니다.

이 확인은 영상이 게이트웨이를 떠난 뒤 바뀌지 않았음을 보여 줍니다. 무슨 일이 있었는지는 사람이 보고 판단해야 합니다.
"의심"은 규칙이 내린 것이며 판단이 아닙니다.""",
    "caption": "의심: {kind} {percent}%({verdict}) · CCTV {camera}호기 · {at}",
    "caption_unverified": "원본 서명 미확인",
    "verdict_clear": "이상 없음",
    "verdict_review": "전문가 확인 대상",
    "verdict_report": "신고 대상",
    "greeting": (
        "안녕하세요, 우리AI입니다. 어린이집 CCTV에서 찾은 의심 사건을 알려 드립니다. 날짜나 어린이집 "
        "이름을 말씀해 주세요."
    ),
    "heading": "{place}, {range}",
    "every_centre": "담당 어린이집 전체",
    "found": "의심 사건 {count}건이 있습니다 ({kinds}).",
    "found_none": "찾은 의심 사건이 없습니다.",
    "kind_count": "{kind} {count}건",
    "incident_line": "{number}번 · {kind} · {camera}번 카메라 · {span} · {status} · 확신도 {percent}%",
    "incident_line_centre": (
        "{centre} {number}번 · {kind} · {camera}번 카메라 · {span} · {status} · 확신도 {percent}%"
    ),
    "unverified_mark": "원본 서명 미확인",
    "and_more": "그 밖에 {count}건이 더 있습니다. 카메라나 시간을 좁혀서 물어보시면 모두 알려 드립니다.",
    "strongest": "가장 강한 순간: {number}번, {camera}번 카메라, {at} (확신도 {percent}%).",
    "clips": "이 기간의 영상 {total}개 가운데 {analysed}개를 분석했습니다.",
    "clips_failed": "{failed}개는 분석하지 못했습니다.",
    "clips_waiting": "{waiting}개는 아직 분석 중입니다.",
    "no_clips": "이 기간에 들어온 영상이 하나도 없어서, 아무 일도 없었다고 말씀드릴 수 없습니다.",
    "no_overclaim": "분석한 영상에서 찾지 못했다는 뜻이며, 영상이 없는 시간까지 확인한 것은 아닙니다.",
    "in_future": "아직 오지 않은 시간입니다.",
    "camera_filter": "{cameras}번 카메라",
    "counted": "{what} {count}건입니다.",
    "counted_all": "의심 사건은 모두",
    "counted_kinds": "{kinds}은/는 모두",
    "by_status": "상태별: {counts}.",
    "before": "그 전({range})에는 {count}건이었습니다.",
    "by_camera": "카메라별: {counts}.",
    "status_count": "{status} {count}건",
    "camera_count": "{camera}번 {count}건",
    "details_incident": (
        "{centre} {number}번 사건\n종류: {kind}\n시간: {span}\n카메라: {camera}번\n상태: {status}\n확신도: {percent}%"
    ),
    "details_of_day": "그날 이 어린이집에서 {count}번째입니다.",
    "details_unverified": "원본 영상의 서명이 확인되지 않아 자동 신고 대상이 아닙니다.",
    "meaning_pending_review": "전문가가 영상을 보고 판단하기를 기다리고 있습니다.",
    "meaning_reported": "관할 경찰서에 전달되었습니다.",
    "meaning_dismissed": "전문가가 학대가 아니라고 판단했습니다.",
    "meaning_dispatched": "경찰이 출동했습니다.",
    "meaning_closed": "처리가 끝났습니다.",
    "meaning_open": "카메라를 확인해 주십시오.",
    "meaning_resolved": "카메라가 다시 정상입니다.",
    "no_such_incident": "{number}번 사건을 찾지 못했습니다. 번호를 다시 확인해 주세요.",
    "part_of": "{number}번 사건은 {other}번 사건에 합쳐졌습니다. {other}번 사건을 알려 드립니다.",
    "which_incident": "{number}번 사건이 여러 어린이집에 있습니다. 어느 어린이집인지 말씀해 주세요.",
    "no_such_centre": "담당하시는 곳 가운데 '{name}'을/를 찾지 못했습니다. 이름을 다시 확인해 주세요.",
    "which_centre": "어느 어린이집인지 말씀해 주세요.",
    "centre_chosen": "{name} ({region})입니다. 어느 날짜를 알려 드릴까요?",
    "no_centres": "아직 담당 어린이집이 지정되지 않았습니다. 관리자에게 문의해 주세요.",
    "which_range": "어느 날짜나 기간을 알려 드릴까요?",
    "compared": "{range}: {count}건\n{other_range}: {other_count}건",
    "change_more": "{count}건 늘었습니다.",
    "change_less": "{count}건 줄었습니다.",
    "change_same": "건수가 같습니다.",
    "compare_incomplete": "분석한 영상이 {clips}개와 {other_clips}개로 서로 다르니 그 점을 감안해 주십시오.",
    "compare_two": "한 번에 두 기간만 비교할 수 있습니다. 비교할 두 기간을 말씀해 주세요.",
    "compare_clips": "{range}: 영상 {total}개 가운데 {analysed}개를 분석했습니다.",
    "compare_no_clips": "{range}: 들어온 영상이 하나도 없어서, 아무 일도 없었다고 말씀드릴 수 없습니다.",
    "compare_in_future": "{range}: 아직 오지 않은 시간입니다.",
    "coverage_all": "카메라 {total}대가 모두 빠짐없이 녹화했습니다.",
    "coverage_some": "카메라 {total}대 가운데 {whole}대가 빠짐없이 녹화했습니다.",
    "coverage_none": "카메라 {total}대 모두 이 시간에 녹화한 기록이 없습니다.",
    "coverage_until": "({until}까지 확인)",
    "coverage_camera": "{camera}번 카메라",
    "coverage_dark": "· {camera}: {spans} 녹화 없음",
    "coverage_nothing": "· {camera}: 이 시간에 녹화한 기록 없음",
    "coverage_more_holes": "{spans} 외 {count}번",
    "coverage_more": "그 밖에 카메라 {count}대에도 녹화되지 않은 시간이 있습니다.",
    "coverage_no_camera": "등록된 카메라가 없어 녹화되었는지 말씀드릴 수 없습니다.",
    "coverage_too_wide": "한 번에 확인하기에는 카메라가 너무 많습니다. 어린이집이나 더 짧은 기간을 말씀해 주세요.",
    "coverage_too_recent": "방금 시작된 시간이라 아직 확인할 수 없습니다. 잠시 뒤에 다시 물어봐 주세요.",
    "span_goes_on": "{start}부터 계속",
    "no_movement": "움직임이 없어 남긴 영상이 없습니다.",
    "not_yet_masked_copy": (
        "모자이크 처리한 영상은 아직 만들어 드릴 수 없습니다. 대신 얼굴을 가린 사진을 보여 드릴 수 있습니다."
    ),
    "trend_day": "{day} {bar} {count}건",
    "trend_total": "모두 {count}건입니다.",
    "trend_slots": "많았던 시간대: {slots}.",
    "trend_too_wide": "한 번에 보기에는 사건이 너무 많습니다. 어린이집이나 더 짧은 기간을 말씀해 주세요.",
    "weekday_0": "월요일",
    "weekday_1": "화요일",
    "weekday_2": "수요일",
    "weekday_3": "목요일",
    "weekday_4": "금요일",
    "weekday_5": "토요일",
    "weekday_6": "일요일",
    "slot": "{weekday} {hour}-{until}시",
    "slot_count": "{slot} {count}건",
    "reliability": "전문가가 판단한 {decided}건 가운데 {confirmed}건이 학대로 확인되었습니다 ({percent}%).",
    "reliability_line": "· {name}: {decided}건 가운데 {confirmed}건 ({percent}%)",
    "reliability_slots": "가장 믿을 만한 시간대:",
    "reliability_none": "이 기간에 전문가가 판단한 사건이 없어 아직 말씀드릴 수 없습니다.",
    "reliability_few": "판단이 {least}건보다 적은 카메라와 시간대는 빼고 말씀드렸습니다.",
    "copy_heading": "{centre} {number}번 사건의 얼굴을 가린 영상:",
    "copy_ready": "· {at}: {link}",
    "copy_waiting": "· {at}: 만들고 있습니다",
    "copy_deleted": "· {at}: 영상이 삭제되어 만들 수 없습니다",
    "copy_unplayable": "· {at}: 영상을 재생할 수 없어 만들 수 없습니다",
    "copy_missing": "· {at}: 영상을 찾을 수 없어 만들 수 없습니다",
    "copy_altered": "· {at}: 영상이 분석할 때와 달라져 만들 수 없습니다",
    "copy_no_clip": "{number}번 사건에는 영상이 없어 가릴 것이 없습니다.",
    "copy_more": "여기에 적지 않은 영상이 {count}개 더 있습니다.",
    "copy_link_once": "링크는 24시간 안에 본인에게 한 번만 열립니다. 다른 곳에 전하기 전에 먼저 확인해 주세요.",
    "copy_told_later": "준비되면 링크를 보내 드리겠습니다.",
    "copy_ask_again": "몇 분 뒤에 다시 물어봐 주세요.",
    "subscribe_where": "하루 요약은 카카오톡, 슬랙, 텔레그램의 대화에서 신청하거나 그만 받으실 수 있습니다.",
    "subscribe_when": "매일 몇 시에 보내 드릴까요? 오전인지 오후인지도 말씀해 주세요.",
    "subscribe_morning": "매일 오전 8시에 요약 보내줘",
    "subscribe_evening": "매일 오후 6시에 요약 보내줘",
    "subscribed": "매일 {clock} {zone}에 {day} 요약을 보내 드립니다. 그만 받으시려면 '그만'이라고 보내 주세요.",
    "subscribe_today": "그날",
    "subscribe_yesterday": "전날",
    "unsubscribed": "하루 요약을 더 보내지 않습니다. 사건 알림은 그대로이며, 관리자가 바꿀 수 있습니다.",
    "not_subscribed": "보내 드리고 있는 하루 요약이 없습니다. 사건 알림은 관리자가 바꿀 수 있습니다.",
    "suggest_stop": "그만",
    "digest_today": "오늘 요약",
    "digest_yesterday": "어제 요약",
    "already_enrolled": "{name} 님은 이미 등록되어 있습니다. 바로 물어보시면 됩니다.",
    "enrolled": "{name} 님, 등록되었습니다. 이제 물어보실 수 있습니다.",
    "enrol_wrong_code": "이 등록 코드는 쓸 수 없습니다. 관리자에게 새 코드를 받아 주세요.",
    "offer_gone": "이 단추는 더 이상 쓸 수 없습니다. 다시 물어봐 주세요.",
    "answer_later": "확인하고 있습니다. 잠시 뒤에 알려 드립니다.",
    "answer_slow": "확인하는 데 시간이 걸리고 있습니다. 잠시 뒤에 다시 물어봐 주세요.",
    "enrol_help": "등록된 분만 쓰실 수 있습니다. 관리자에게 받은 등록 코드(예: ABC12-34DEF)를 그대로 보내 주세요.",
    "help": (
        "이렇게 물어보실 수 있습니다.\n"
        "· 오늘 무슨 일 있었어?\n"
        "· 어제 오후 2시부터 4시 사이 3번 카메라\n"
        "· 지난주 신체학대 몇 건?\n"
        "· 12번 사건 어떻게 됐어?\n"
        "· 이번 주와 지난주 비교"
    ),
    "problem_no_such_date": "말씀하신 날짜는 달력에 없습니다.",
    "problem_no_such_time": "말씀하신 시각은 없는 시각입니다.",
    "problem_which_half": "오전인지 오후인지 말씀해 주세요.",
    "problem_which_day": "어느 날인지 말씀해 주세요.",
    "problem_unclear_date": "말씀하신 때를 정확히 알아듣지 못했습니다. 날짜로 말씀해 주세요.",
    "problem_several_ranges": "한 번에 이어진 한 기간만 알려 드릴 수 있습니다.",
    "problem_no_start": "언제부터인지도 말씀해 주세요.",
    "problem_backwards": "끝나는 때가 시작하는 때보다 빠릅니다.",
    "problem_too_long": "글이 너무 깁니다. 한 가지씩 짧게 물어봐 주세요.",
    "wrong_camera": "그런 번호의 카메라는 없습니다.",
    "not_understood": "무엇을 물으셨는지 알아듣지 못했습니다.",
    "understood_part": "여기까지는 알아들었습니다: {parts}.",
    "offer": "이렇게 물어보실 수 있습니다.",
    "picture_title": "{centre} {number}번 · {kind}",
    "picture_text": "{camera}번 카메라 · {at}\n얼굴을 가린 사진입니다. 한 번만 열립니다.",
    "open_picture": "사진 보기",
    "suggest_today": "오늘",
    "suggest_yesterday": "어제",
    "suggest_week": "이번 주 요약",
    "suggest_count": "지난주 몇 건?",
    "suggest_details": "{number}번 자세히",
    "suggest_status": "{number}번 사건 상태",
    "suggest_help": "도움말",
    "suggest_centre_range": "{centre} {range}",
    "suggest_morning": "어제 오전 10시부터 11시까지",
    "suggest_afternoon": "어제 오후 2시부터 4시까지",
    "tell_incident": "{centre} {number}번 사건",
    "tell_hole": "{centre} 녹화 공백",
    "tell_records": "{centre} 기록 이상",
    "tell_gateway": "게이트웨이 {gateway}",
    "tell_trouble_gap": "기록 {count}건이 들어오지 않음",
    "tell_trouble_order": "기록 {count}건이 서로 또는 순서와 맞지 않음",
    "tell_trouble_clock": "시계가 맞지 않음",
    "tell_what": "{what} · {camera}",
    "tell_suspicion": "{kind} 의심",
    "tell_no_recording": "녹화가 확인되지 않음",
    "tell_every_camera": "모든 카메라",
    "tell_span": "{span} {zone}",
    "tell_span_open": "{span} {zone} (계속되는 중)",
    "tell_place": "{region} {address} · 전화 {phone}",
    "tell_again": "[다시 알림 {repetition}] {subject}",
    "tell_subject_reported": "[우리AI] 신고: {centre} {number}번 {what}",
    "tell_subject_page": "[우리AI] 긴급 확인: {centre} {number}번 {what}",
    "tell_subject_review": "[우리AI] 확인 대기: {centre} {number}번 {what}",
    "tell_subject_tamper": "[우리AI] 기기 이상: {centre} {number}번",
    "tell_subject_hole": "[우리AI] 녹화 공백: {centre}",
    "tell_subject_records": "[우리AI] 기록 이상: {centre}",
    "tell_subject_digest_records": "[우리AI] 기록 이상 {count}건",
    "tell_subject_digest_review": "[우리AI] 확인 대기 {count}건",
    "tell_subject_digest_tamper": "[우리AI] 기기 이상 {count}건",
    "tell_subject_digest_hole": "[우리AI] 녹화 공백 {count}건",
    "tell_subject_unreported": "[우리AI] 경찰서에 신고를 전달하지 못함: {matter}",
    "tell_subject_undelivered": "[우리AI] 전달 실패: {matter}",
    "tell_subject_no_station": "[우리AI] 관할 경찰서에 알리지 못함: {matter}",
    "tell_subject_no_policy_officer": "[우리AI] 담당 공무원에게 알리지 못함: {matter}",
    "tell_subject_no_director": "[우리AI] 원장에게 알리지 못함: {matter}",
    "tell_subject_no_expert": "[우리AI] 전문가에게 알리지 못함: {matter}",
    "tell_subject_masked_copy": "[우리AI] 마스킹 영상 준비됨: {centre} {number}번",
    "tell_subject_no_masked_copy": "[우리AI] 마스킹 영상을 만들지 못함: {centre} {number}번",
    "tell_body_masked_copy": (
        "{centre} {number}번 사건: 요청하신 얼굴을 가린 영상이 준비되었습니다.\n{link}\n"
        "링크는 24시간 안에 본인에게 한 번만 열립니다. 다른 곳에 전하기 전에 먼저 확인해 주십시오."
    ),
    "tell_body_no_masked_copy": (
        "{centre} {number}번 사건: 요청하신 얼굴을 가린 영상을 만들지 못했습니다. "
        "채팅에서 다시 요청하시면 이유를 알려 드리거나 다시 만들겠습니다."
    ),
    "tell_next_reported_station": (
        "아동학대가 의심되어 신고합니다. 출동 전 상태로 등록되어 있습니다. 위 시간의 영상만 확인하시면 됩니다."
    ),
    "tell_next_reported_policy_officer": (
        "{station}에 신고 내용을 보냅니다. 챗봇에 '{centre} {number}번 자세히'라고 물어보시면 자세히 알려 드립니다."
    ),
    "tell_next_reported_director": (
        "{station}에 신고 내용을 보냅니다. 녹화기와 영상을 그대로 보존해 주십시오. "
        "챗봇에 '{number}번 자세히'라고 물어보시면 자세히 알려 드립니다."
    ),
    "tell_next_reported_nowhere": (
        "{region}에 연락할 수 있는 경찰서가 등록되어 있지 않아 경찰에는 아직 알리지 못했습니다. "
        "112에 직접 신고해 주십시오."
    ),
    "tell_next_page_expert": (
        "신고 기준을 넘은 사건입니다. 지금 맡아 주십시오: uriai review take {number} --centre '{centre}'\n"
        "맡는 분이 없으면 계속 다시 알립니다."
    ),
    "tell_next_review_expert": (
        "영상을 보고 판단해 주십시오: uriai review decide {number} report|safe --centre '{centre}' --reason …"
    ),
    "tell_next_tamper_policy_officer": "카메라에 이상이 있습니다. 어린이집에 확인해 주십시오.",
    "tell_next_tamper_director": "카메라에 이상이 있습니다. 카메라를 확인해 주십시오.",
    "tell_next_hole_policy_officer": "이 시간에는 무슨 일이 있었는지 알 수 없습니다. 어린이집에 확인해 주십시오.",
    "tell_next_hole_director": "이 시간의 녹화가 들어오지 않았습니다. 카메라와 게이트웨이를 확인해 주십시오.",
    "tell_next_records_policy_officer": (
        "이 시간에 게이트웨이가 보낸 내용이 빠졌거나 바뀌었을 수 있습니다. "
        "어린이집에 확인하고, 녹화기의 영상을 보존하게 해 주십시오."
    ),
    "tell_next_digest_records": "이 시간에 게이트웨이가 보낸 내용이 빠졌거나 바뀌었을 수 있습니다. 확인해 주십시오.",
    "tell_next_undelivered_operator": (
        "알림을 전달하지 못했습니다. uriai outbox list --state failed 로 확인한 뒤 직접 연락해 주십시오."
    ),
    "tell_next_unreported_operator": (
        "{station}에 신고 내용을 전달하지 못했습니다. 112에 직접 신고한 뒤 확인해 주십시오: "
        "uriai outbox list --state failed"
    ),
    "tell_next_unreported_policy_officer": "{station}에 신고 내용을 전달하지 못했습니다. 112에 직접 신고해 주십시오.",
    "tell_next_digest_review": "영상을 보고 판단해 주십시오: uriai review list",
    "tell_next_digest_tamper": "카메라에 이상이 있습니다. 확인해 주십시오.",
    "tell_next_digest_hole": "이 시간에는 무슨 일이 있었는지 알 수 없습니다. 확인해 주십시오.",
    "tell_next_no_station_operator": (
        "{region}을/를 맡은 경찰서가 없거나 연락할 방법이 없습니다. 112에 직접 신고해 주십시오. "
        "등록: uriai stations add, uriai channels add"
    ),
    "tell_next_no_policy_officer_operator": (
        "{region}을/를 맡은 담당 공무원이 없거나 연락할 방법이 없습니다. 등록: uriai people add, uriai channels add"
    ),
    "tell_next_no_director_operator": (
        "이 어린이집의 원장이 없거나 연락할 방법이 없습니다. 등록: uriai people add, uriai channels add"
    ),
    "tell_next_no_expert_operator": (
        "{region}을/를 맡은 전문가가 없거나 연락할 방법이 없어 판단이 늦어집니다. "
        "등록: uriai people add, uriai channels add"
    ),
}
"""By key; placeholders in braces. 은/는, 이/가, 을/를, 과/와, 으로/로 are chosen by the sound before them."""
