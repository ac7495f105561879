"""What the screen says (en). Generated from vocabulary.toml: python3 tools gen."""
# fmt: off

# (action or 0, verdict): headline, next step, icon, tone, lamp, latched
VERDICTS = {
    (0x00, 0x00): ("NOTED", "", "none", "none", "off", 0),
    (0x00, 0x01): ("DONE", "", "ok", "ok", "green", 0),
    (0x7f, 0x01): ("MODE CHANGED", "Scan an order code", "ok", "ok", "green", 0),
    (0x24, 0x01): ("STORED", "Put it in its cell", "ok", "ok", "green", 0),
    (0x33, 0x01): ("HAND IT OVER", "Order handed out", "ok", "release", "green", 0),
    (0x00, 0x02): ("READY TO GIVE", "Press OK to hand out", "ok", "ok", "green", 1),
    (0x00, 0x03): ("SCAN THE SEAL", "DO NOT HAND OVER without its seal", "hand", "next", "blue", 1),
    (0x33, 0x03): ("DO NOT HAND OVER", "Scan the seal first", "hand", "refused", "red", 1),
    (0x00, 0x04): ("SEAL IS RIGHT", "Press OK to hand out", "seal", "ok", "green", 1),
    (0x00, 0x05): ("SEAL READ", "Press OK to hand out", "seal", "ok", "green", 1),
    (0x00, 0x06): ("TAG IS RIGHT", "Next: the seal, or OK", "ok", "ok", "green", 1),
    (0x00, 0x10): ("WRONG SEAL", "DO NOT HAND OVER. Find this order's seal", "cross", "refused", "red", 1),
    (0x00, 0x11): ("WRONG ITEM", "DO NOT HAND OVER. Call the supervisor", "cross", "refused", "red", 1),
    (0x00, 0x12): ("UNKNOWN CODE", "No such order on the list. Set it aside", "question", "refused", "red", 1),
    (0x00, 0x13): ("NOT FOR HERE", "It belongs to another point. Set it aside", "cross", "refused", "red", 1),
    (0x00, 0x14): ("WRONG STEP", "This order is at another step. Check the mode", "cross", "refused", "red", 1),
    (0x00, 0x15): ("SCANNED ALREADY", "Nothing to do", "ok", "repeat", "amber", 0),
    (0x00, 0x16): ("CODE REFUSED", "Neither an order code nor a seal", "cross", "refused", "red", 1),
    (0x00, 0x17): ("NO RULES", "Put the terminal on its dock", "cross", "refused", "red", 1),
    (0x00, 0x18): ("ORDER FIRST", "Scan the order code", "question", "refused", "red", 0),
}

UI = {
    "SCAN": "SCAN",
    "MODE_STORE": "INTAKE",
    "MODE_HANDOUT": "HAND-OUT",
    "ORDERS": "Orders on the list",
    "NO_MANIFEST": "No list: put it on the dock",
    "NOT_ENROLLED": "NOT ENROLLED",
    "ENROL_HINT": "Connect the dock: plomba enroll",
    "ROOT": "Organisation root",
    "ACCEPT": "Compare. OK = accept",
    "ENGINE_ABSENT": "NO SCAN ENGINE",
    "ENGINE_HINT": "Switch off and on. Still so: repair",
    "JOURNAL_FULL": "MEMORY FULL",
    "JOURNAL_HINT": "Put it on the dock; scan not recorded",
    "FAULT": "FAULT",
    "FAULT_HINT": "Do not scan. Hand it in for repair",
}
