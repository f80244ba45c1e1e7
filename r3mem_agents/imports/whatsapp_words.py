"""What WhatsApp writes in the languages of its telephones."""

from __future__ import annotations

import re

MORNING = ("上午", "早上", "清晨", "凌晨", "午前", "오전", "ص", "π.μ.", "πμ", "पूर्वाह्न", "SA", "ÖÖ")
EVENING = ("下午", "中午", "晚上", "午後", "오후", "م", "μ.μ.", "μμ", "अपराह्न", "CH", "ÖS")
"""Halves of the day but for AM and PM, before the time or after it."""

EDITED_WITHOUT_MARK = re.compile(
    r"\s*<(?:This message was edited|Diese Nachricht wurde bearbeitet|Se editó este mensaje|"
    r"Ce message a été modifié|Questo messaggio è stato modificato|Mensagem editada|"
    r"Dit bericht is bewerkt)\.?>\Z"
)
"""Android says without a mark that a message was edited, and of one that was deleted too."""

DELETED = {
    "This message was deleted",
    "You deleted this message",
    "Diese Nachricht wurde gelöscht",
    "Du hast diese Nachricht gelöscht",
    "Se eliminó este mensaje",
    "Eliminaste este mensaje",
    "Ce message a été supprimé",
    "Vous avez supprimé ce message",
    "Questo messaggio è stato eliminato",
    "Hai eliminato questo messaggio",
    "Mensagem apagada",
    "Essa mensagem foi apagada",
    "Esta mensagem foi apagada",
    "Você apagou esta mensagem",
    "Dit bericht is verwijderd",
    "Je hebt dit bericht verwijderd",
    "Это сообщение было удалено",
    "Bu mesaj silindi",
    "このメッセージは削除されました",
    "此訊息已刪除",
    "삭제된 메시지입니다",
    "تم حذف هذه الرسالة",
}
