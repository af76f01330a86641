"""English."""

MONTHS = (
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)  # fmt: skip

TEXTS: dict[str, str] = {
    "day": "{month} {day}",
    "day_with_year": "{month} {day}, {year}",
    "range_one_day": "{day}, {start}-{end} {zone}",
    "range_days": "{first} {start} to {last} {end} {zone}",
    "kind_physical": "physical abuse",
    "kind_emotional": "emotional abuse",
    "kind_neglect": "neglect",
    "kind_tamper": "camera fault",
    "status_pending_review": "waiting for an expert",
    "status_reported": "reported to the police",
    "status_dismissed": "judged not to be abuse",
    "status_dispatched": "police dispatched",
    "status_closed": "closed",
    "status_open": "needs attention",
    "status_resolved": "resolved",
    "bundle_unverified": (
        "Note: the gateway's signature of at least one clip of this incident does not verify. The .json or .sig "
        "beside it is not there or does not fit."
    ),
    "bundle_explanation": """Uri-AI evidence bundle

Centre: {centre}
Incident: {number} ({kind}, CCTV {camera})
Time: {start} to {end}
Bundle made: {made}
{unverified}
What is in it
- clips/…/*.mp4   original clips (not masked, not changed)
- clips/…/*.json  the camera gateway's record of each: time, size, SHA-256, hash of the record before
- clips/…/*.sig   its Ed25519 signature over that record (64 bytes)
- evidence/…      pictures of the moment under suspicion (plain and annotated)
- bundle.json     SHA-256 of every file, rows of evidence with their hashes, the gateway's public key

How to check it without the internet
1. Compare the SHA-256 of this file with what you were told by another way: sha256sum FILE.zip
2. Unpack it and run: uriai verify --all FOLDER
   Exit code 0 and nothing but "present": nothing was changed or left out. Otherwise it says which file differs, and
   how.
3. If you were given the public key separately: uriai verify FOLDER --key PUBLIC_KEY
   Any program that knows Ed25519 can verify the .sig over the bytes of the .json, without Uri-AI.

This shows that the clips have not been changed since they left the gateway. What happened in them is for people to
judge. A "suspicion" is what rules concluded; it is no judgement.""",
    "caption": "Suspicion: {kind} {percent}% ({verdict}) · CCTV {camera} · {at}",
    "caption_unverified": "signature not verified",
    "verdict_clear": "clear",
    "verdict_review": "for an expert",
    "verdict_report": "for a report",
    "greeting": (
        "Hello, this is Uri-AI. I tell you of suspected incidents found in daycare CCTV. Give me a date "
        "or the name of a centre."
    ),
    "heading": "{place}, {range}",
    "every_centre": "All your centres",
    "found": "Suspected incidents: {count} ({kinds}).",
    "found_none": "No suspected incident was found.",
    "kind_count": "{kind} {count}",
    "incident_line": "No. {number} · {kind} · camera {camera} · {span} · {status} · confidence {percent} %",
    "incident_line_centre": (
        "{centre} no. {number} · {kind} · camera {camera} · {span} · {status} · confidence {percent} %"
    ),
    "unverified_mark": "signature not verified",
    "and_more": "And {count} more. Ask for one camera or a shorter time and I will list them all.",
    "strongest": "Strongest moment: no. {number}, camera {camera}, {at} (confidence {percent} %).",
    "clips": "Clips from this time: {total}, analysed: {analysed}.",
    "clips_failed": "Could not be analysed: {failed}.",
    "clips_waiting": "Still being analysed: {waiting}.",
    "no_clips": "Not one clip arrived from this time, so I cannot say that nothing happened.",
    "no_overclaim": "That is what the analysed clips show; times without a clip were not looked at.",
    "in_future": "That time has not come yet.",
    "camera_filter": "camera {cameras}",
    "counted": "{what}: {count}.",
    "counted_all": "Suspected incidents in all",
    "counted_kinds": "Suspected {kinds} in all",
    "by_status": "By status: {counts}.",
    "before": "In the time before ({range}): {count}.",
    "by_camera": "By camera: {counts}.",
    "status_count": "{status} {count}",
    "camera_count": "camera {camera}: {count}",
    "details_incident": (
        "{centre}, incident {number}\n"
        "Kind: {kind}\n"
        "Time: {span}\n"
        "Camera: {camera}\n"
        "Status: {status}\n"
        "Confidence: {percent} %"
    ),
    "details_of_day": "Of that day's incidents at the centre it is number {count}.",
    "details_unverified": (
        "The signature of the original could not be verified, so nothing was reported automatically."
    ),
    "meaning_pending_review": "An expert has still to look at it and decide.",
    "meaning_reported": "The police station in charge has it.",
    "meaning_dismissed": "An expert decided that it is no abuse.",
    "meaning_dispatched": "The police are on their way or have been there.",
    "meaning_closed": "It is settled.",
    "meaning_open": "Please look after the camera.",
    "meaning_resolved": "The camera works again.",
    "no_such_incident": "I found no incident {number}. Please check the number.",
    "part_of": "Incident {number} is part of incident {other}. Here is incident {other}.",
    "which_incident": "Several centres have an incident {number}. Which centre do you mean?",
    "no_such_centre": "I found no '{name}' among your centres. Please check the name.",
    "which_centre": "Which centre do you mean?",
    "centre_chosen": "That is {name} ({region}). Which date would you like to know about?",
    "no_centres": "No centre has been assigned to you yet. Please ask your administrator.",
    "which_range": "Which date or time would you like to know about?",
    "compared": "{range}: {count}\n{other_range}: {other_count}",
    "change_more": "That is {count} more.",
    "change_less": "That is {count} fewer.",
    "change_same": "The number is the same.",
    "compare_incomplete": "Bear in mind how many clips were analysed: {clips} and {other_clips}.",
    "compare_two": "I can compare two times at once. Which two do you mean?",
    "compare_clips": "{range}: {total} clips, {analysed} of them analysed.",
    "compare_no_clips": "{range}: not one clip arrived, so I cannot say that nothing happened.",
    "compare_in_future": "{range}: that time has not come yet.",
    "coverage_all": "Cameras that recorded the whole time: all {total}.",
    "coverage_some": "Cameras that recorded the whole time: {whole} of {total}.",
    "coverage_none": "Not one of {total} cameras is known to have recorded in this time.",
    "coverage_until": "(known up to {until})",
    "coverage_camera": "camera {camera}",
    "coverage_dark": "· {camera}: not recording {spans}",
    "coverage_nothing": "· {camera}: not known to have recorded at all",
    "coverage_more_holes": "{spans} and {count} more times",
    "coverage_more": "Other cameras that did not record all of it: {count}.",
    "coverage_no_camera": "No camera has been entered, so I cannot say what was recorded.",
    "coverage_too_wide": "Those are too many cameras to look through at once. Please name a centre or a shorter time.",
    "coverage_too_recent": "That time has only just begun, so I cannot know yet. Please ask again in a few minutes.",
    "span_goes_on": "since {start}",
    "no_movement": "There was no movement that a clip was made of.",
    "not_yet_masked_copy": (
        "I cannot make a masked copy of the video yet. What I can show is a picture with the faces masked."
    ),
    "trend_day": "{day} {bar} {count}",
    "trend_total": "{count} in all.",
    "trend_slots": "Most often: {slots}.",
    "trend_too_wide": "There are too many incidents to look at at once. Please name a centre or a shorter period.",
    "weekday_0": "Monday",
    "weekday_1": "Tuesday",
    "weekday_2": "Wednesday",
    "weekday_3": "Thursday",
    "weekday_4": "Friday",
    "weekday_5": "Saturday",
    "weekday_6": "Sunday",
    "slot": "{weekday} {hour}:00-{until}:00",
    "slot_count": "{slot}: {count}",
    "reliability": "Of {decided} that an expert decided on, {confirmed} were confirmed ({percent}%).",
    "reliability_line": "· {name}: {confirmed} of {decided} ({percent}%)",
    "reliability_slots": "Most reliable slots:",
    "reliability_none": "No expert has decided on an incident of this period, so nothing can be said yet.",
    "reliability_few": "Cameras and slots with fewer than {least} decisions are left out.",
    "copy_heading": "{centre}, incident {number}, videos with the faces masked:",
    "copy_ready": "· {at}: {link}",
    "copy_waiting": "· {at}: being made",
    "copy_deleted": "· {at}: the clip is deleted, so there is none",
    "copy_unplayable": "· {at}: cannot be made, because the clip cannot be played",
    "copy_missing": "· {at}: cannot be made, because the clip is missing",
    "copy_altered": "· {at}: cannot be made, because the clip is not as it was when it was analysed",
    "copy_no_clip": "Incident {number} rests on no video, so there is nothing to copy.",
    "copy_more": "{count} more are not listed here.",
    "copy_link_once": "Each link opens once, for you, within 24 hours. Look at a copy before you hand it on.",
    "copy_told_later": "You will be sent a link when it is ready.",
    "copy_ask_again": "Please ask again in a few minutes.",
    "subscribe_where": "The daily summary is ordered and stopped in a chat on KakaoTalk, Slack or Telegram.",
    "subscribe_when": "At what time shall I send it every day? Please say a.m. or p.m., too.",
    "subscribe_morning": "send me a daily summary at 8 am",
    "subscribe_evening": "send me a daily summary at 6 pm",
    "subscribed": "I will send you {day}'s summary every day at {clock} {zone}. Say 'stop' to end it.",
    "subscribe_today": "the day",
    "subscribe_yesterday": "the day before",
    "unsubscribed": "I will send no more daily summaries. Messages about incidents go on; your operator changes them.",
    "not_subscribed": "There is no daily summary to stop. Messages about incidents are changed by your operator.",
    "suggest_stop": "stop",
    "digest_today": "summary of today",
    "digest_yesterday": "summary of yesterday",
    "already_enrolled": "{name}, you are enrolled already. Just ask.",
    "enrolled": "{name}, you are enrolled now. You can ask.",
    "enrol_wrong_code": "This enrolment code cannot be used. Please get a new one from your administrator.",
    "offer_gone": "This button can no longer be used. Please ask again.",
    "answer_later": "Looking it up. The answer comes in a moment.",
    "answer_slow": "Looking it up takes a while. Please ask again in a moment.",
    "enrol_help": (
        "Only enrolled people can use this. Please send the enrolment code from your administrator as it "
        "is (such as ABC12-34DEF)."
    ),
    "help": (
        "You can ask, for example:\n"
        "· What happened today?\n"
        "· Camera 3 yesterday from 2 to 4 pm\n"
        "· How many physical abuse incidents last week?\n"
        "· Status of incident 12\n"
        "· Compare this week with last week"
    ),
    "problem_no_such_date": "There is no such date.",
    "problem_no_such_time": "There is no such time of day.",
    "problem_which_half": "Do you mean a.m. or p.m.?",
    "problem_which_day": "Which day do you mean?",
    "problem_unclear_date": "I did not fully understand when. Please give me a date.",
    "problem_several_ranges": "I can tell you about one unbroken time at once.",
    "problem_no_start": "From when on?",
    "problem_backwards": "The end is before the start.",
    "problem_too_long": "That is too long. Please ask one thing at a time.",
    "wrong_camera": "There is no camera of that number.",
    "not_understood": "I did not understand what you ask.",
    "understood_part": "What I did understand: {parts}.",
    "offer": "You can ask, for example:",
    "picture_title": "{centre} no. {number} · {kind}",
    "picture_text": "Camera {camera} · {at}\nFaces are masked. The picture opens once.",
    "open_picture": "Open picture",
    "suggest_today": "Today",
    "suggest_yesterday": "Yesterday",
    "suggest_week": "Summary of this week",
    "suggest_count": "How many last week?",
    "suggest_details": "Details of incident {number}",
    "suggest_status": "Status of incident {number}",
    "suggest_help": "Help",
    "suggest_centre_range": "{range} at {centre}",
    "suggest_morning": "Yesterday from 10 to 11 am",
    "suggest_afternoon": "Yesterday from 2 to 4 pm",
    "tell_incident": "{centre}, incident {number}",
    "tell_hole": "{centre}, hole in the recording",
    "tell_records": "{centre}, fault in the records",
    "tell_gateway": "gateway {gateway}",
    "tell_trouble_gap": "{count} of its records did not come",
    "tell_trouble_order": "{count} of its records contradict each other or their order",
    "tell_trouble_clock": "its clock is wrong",
    "tell_what": "{what} · {camera}",
    "tell_suspicion": "suspicion of {kind}",
    "tell_no_recording": "no recording on record",
    "tell_every_camera": "every camera",
    "tell_span": "{span} {zone}",
    "tell_span_open": "{span} {zone} (going on)",
    "tell_place": "{region} {address} · phone {phone}",
    "tell_again": "[reminder {repetition}] {subject}",
    "tell_subject_reported": "[Uri-AI] report: {centre} no. {number}, {what}",
    "tell_subject_page": "[Uri-AI] urgent: {centre} no. {number}, {what}",
    "tell_subject_review": "[Uri-AI] to review: {centre} no. {number}, {what}",
    "tell_subject_tamper": "[Uri-AI] camera fault: {centre} no. {number}",
    "tell_subject_hole": "[Uri-AI] hole in the recording: {centre}",
    "tell_subject_records": "[Uri-AI] fault in the records: {centre}",
    "tell_subject_digest_records": "[Uri-AI] {count} faults in the records",
    "tell_subject_digest_review": "[Uri-AI] {count} to review",
    "tell_subject_digest_tamper": "[Uri-AI] {count} camera faults",
    "tell_subject_digest_hole": "[Uri-AI] {count} holes in the recording",
    "tell_subject_unreported": "[Uri-AI] the report did not get to the police: {matter}",
    "tell_subject_undelivered": "[Uri-AI] not delivered: {matter}",
    "tell_subject_no_station": "[Uri-AI] no police station could be told: {matter}",
    "tell_subject_no_policy_officer": "[Uri-AI] no policy officer could be told: {matter}",
    "tell_subject_no_director": "[Uri-AI] no director could be told: {matter}",
    "tell_subject_no_expert": "[Uri-AI] no expert could be told: {matter}",
    "tell_subject_masked_copy": "[Uri-AI] masked copy ready: {centre} no. {number}",
    "tell_subject_no_masked_copy": "[Uri-AI] masked copy failed: {centre} no. {number}",
    "tell_body_masked_copy": (
        "{centre}, incident {number}: the masked copy that you asked for is ready.\n{link}\nThe link opens once, for "
        "you, within 24 hours. Look at the copy before you hand it on."
    ),
    "tell_body_no_masked_copy": (
        "{centre}, incident {number}: the masked copy that you asked for could not be made. Ask for it in the chat to "
        "read why, or to have it tried again."
    ),
    "tell_next_reported_station": (
        "This is reported on suspicion of child abuse and registered as before dispatch. Only the video of the time "
        "above has to be looked at."
    ),
    "tell_next_reported_policy_officer": (
        "The report goes to {station}. Ask the chatbot for 'details of {centre} incident {number}'."
    ),
    "tell_next_reported_director": (
        "The report goes to {station}. Please leave recorder and recordings as they are. Ask the chatbot for "
        "'details of incident {number}'."
    ),
    "tell_next_reported_nowhere": (
        "No police station that can be reached is entered for {region}, so the police have not been told yet. "
        "Please call 112."
    ),
    "tell_next_page_expert": (
        "This is beyond the threshold for a report. Please take it now: uriai review take {number} "
        "--centre '{centre}'\nUntil somebody does, this is repeated."
    ),
    "tell_next_review_expert": (
        "Please look at it and decide: uriai review decide {number} report|safe --centre '{centre}' --reason …"
    ),
    "tell_next_tamper_policy_officer": "Something is wrong with the camera. Please ask the centre.",
    "tell_next_tamper_director": "Something is wrong with the camera. Please look after it.",
    "tell_next_hole_policy_officer": "Nobody can say what happened in this time. Please ask the centre.",
    "tell_next_hole_director": "No recording of this time has come in. Please look after camera and gateway.",
    "tell_next_records_policy_officer": (
        "What the gateway tells of this time may be incomplete or wrong. Please ask the centre, and have the recording "
        "of its own recorder kept."
    ),
    "tell_next_digest_records": "What the gateways tell of these times may be incomplete or wrong. Please ask.",
    "tell_next_undelivered_operator": (
        "A message could not be delivered. See uriai outbox list --state failed, then call whom it was for."
    ),
    "tell_next_unreported_operator": (
        "The report could not be delivered to {station}. Please call 112, then look: uriai outbox list --state failed"
    ),
    "tell_next_unreported_policy_officer": "The report could not be delivered to {station}. Please call 112.",
    "tell_next_digest_review": "Please look at them and decide: uriai review list",
    "tell_next_digest_tamper": "Something is wrong with the cameras. Please look after them.",
    "tell_next_digest_hole": "Nobody can say what happened in these times. Please look after it.",
    "tell_next_no_station_operator": (
        "No police station is in charge of {region}, or none can be reached. Please call 112. "
        "To enter one: uriai stations add, uriai channels add"
    ),
    "tell_next_no_policy_officer_operator": (
        "No policy officer is in charge of {region}, or none can be reached. "
        "To enter one: uriai people add, uriai channels add"
    ),
    "tell_next_no_director_operator": (
        "This centre has no director, or none that can be reached. To enter one: uriai people add, uriai channels add"
    ),
    "tell_next_no_expert_operator": (
        "No expert is in charge of {region}, or none can be reached, so the decision is late. "
        "To enter one: uriai people add, uriai channels add"
    ),
}
"""By key; placeholders in braces."""
