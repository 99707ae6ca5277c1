"""Words of other languages than English that stand around an action.

Few models reply in another language, and then in short sentences. Nouns and verbs that name an
answer (`ANSWERS`) make a label of what stands before a colon; words that deny, remember or suppose
(`DENYING`, `FRAMING`) keep what is named from being done, wherever they are found.
"""

from __future__ import annotations

import re

_WORDS = r"(?<![\w'])(?:{})(?![\w'])"


def _found(words: str, parts: str) -> re.Pattern[str]:
    """Finds whole words, or parts of words in scripts that do not part them."""
    whole = _WORDS.format("|".join(words.split()))
    return re.compile(f"{whole}|{'|'.join(parts.split())}", re.IGNORECASE)


ANSWERS = _found(
    # German, French, Spanish, Portuguese, Italian, Dutch, Polish, Swedish, Turkish, Indonesian
    """antwort aktion entscheidung wahl experiment handlung befehl eingriff also daher deshalb
    wähle nehme mache setze tue führe schritt zug nächstes tanto beobachte observo j'observe
    réponse reponse choix décision decision expérience commande choisis fais vais donc
    respuesta acción accion elección eleccion decisión experimento comando elijo escojo hago haré
    voy intervención intervencion paso jugada
    resposta ação acao escolha decisão escolho faço vou farei portanto intervenção passo jogada
    risposta azione scelta decisione esperimento scelgo faccio quindi intervento
    antwoord actie keuze beslissing kies doe dus
    odpowiedź akcja wybór decyzja wybieram svar handling val cevap yanıt eylem karar seçim
    jawaban tindakan pilihan""",
    # Russian and Ukrainian, Chinese, Japanese, Korean, Arabic, Hindi, Vietnamese, Thai, Greek
    """ответ действи выбор выбираю решени эксперимент команд делаю сделаю итак поэтому відповідь дія
    вмешательств ход
    答案 回答 答复 行动 行動 动作 動作 操作 选择 選擇 決定 决定 实验 實驗 实验 干预 干預 观察 執行
    执行 因此 所以 结论 下一步 接下来
    答え 次の 選択 実験 介入 実行 コマンド したがって
    행동 답변 정답 답 선택 실험 개입 결정 명령 따라서
    إجابة الجواب إجراء تجربة أختار القرار उत्तर जवाब कार्य प्रयोग trả\\slời hành\\sđộng คำตอบ
    απάντηση ενέργεια תשובה פעולה پاسخ""",
)
"""What an action is called, and how its writer says to do it."""

CHOOSES = re.compile(
    r"(?:(?:also|daher|deshalb|nun|jetzt|donc|ahora|entonces|portanto|agora|quindi|итак|поэтому|"
    r"因此|所以|那么|于是)[,， ]{0,2}){0,2}(?:"
    r"(?:ich )?(?:wähle|nehme|mache|setze|tue|führe)(?: ich)?|(?:je )?(?:choisis|fais|vais faire|"
    r"décide de faire)(?: de faire)?|(?:yo )?(?:elijo|escojo|hago|haré|voy a (?:hacer|ejecutar|"
    r"elegir))|"
    r"(?:eu )?(?:escolho|faço|farei|vou (?:fazer|executar|escolher))|(?:io )?(?:scelgo|"
    r"faccio)(?: di)?|"
    r"(?:ik )?(?:kies|doe)|wybieram|robię|(?:я )?(?:выбираю|делаю|сделаю|выполняю|выполню)|"
    r"(?:我|本轮|这次|现在){0,2}(?:将|会|要|决定)?(?:选择|選擇|执行|執行|进行|做|决定)|(?:私は)|"
    r"저는|"
    r"나는)"
)
"""All of a clause that says, before an action, that its writer does it."""

DENYING = _found(
    """falsche falscher falsch mauvaise mauvais fausse incorrecta incorrecto errada errado sbagliata
    sbagliato неправильный неверный неправильное предыдущее предыдущая
    nicht kein keine keinen nie niemals ohne statt vermeide vermeiden war wurde hatte habe
    zuletzt letzte letzter letzten letztes vorher früher vorige voriger vorherige vorherigen bisher
    danach später dann zuerst
    ne pas jamais aucun sans éviter était déjà précédent précédente dernière dernier avant ensuite
    puis d'abord
    nunca sin evitar hice hizo había fue última último anterior antes después luego primero
    não nao sem fiz fez foi último depois primeiro
    non mai senza evita evitare aveva fatto precedente ultima ultimo dopo poi prima
    niet geen nooit zonder vorige laatste eerder daarna
    nie nigdy bez poprzedni ostatni wcześniej potem inte aldrig değil hayır önceki tidak jangan
    sebelumnya bukan
    не нет ни никогда без было был была раньше ранее прошлый прошлая последний последнее потом затем
    сначала сделал сделали избегать""",
    """错 錯 間違 틀린 잘못 不 没 沒 未 勿 上一 上次 之前 已经 已經 曾 避免 拒绝 然后 然後 再 之后
        先 以前
    前回 した(?!い) ました だった
    ない ません その後 않 없 아니 이전 지난 했 였 나중 لن لم ليس لا\\s नहीं मत पिछल không\\s đừng
        ไม่ δεν μην""",
)
"""Denial, the past, and one of several in order."""

FRAMING = _found(
    """wenn falls ob vielleicht könnte könnten könntest würde würden sollte sollten soll
    möglicherweise beispiel beispielsweise z.b. regel regeln sagt sagte gesagt benutzer nutzer oder
    optionen option möglichkeiten angenommen anweisung hinweis entweder
    si peut-être pourrait pourrais serait devrait devrais exemple règle règles dit utilisateur
    système supposons soit consigne faut-il
    quizá quizás podría podríamos sería debería ejemplo regla reglas dice dijo usuario sistema
    opciones supongamos formato
    se talvez poderia seria deveria exemplo regra regras diz disse usuário sistema opções
    forse potrebbe potrei sarebbe dovrei dovrebbe esempio regola regole dice disse utente oppure
    misschien zou zouden voorbeeld regel zegt gebruiker systeem
    jeśli jeżeli może przykład użytkownik eğer belki örnek kullanıcı jika kalau mungkin contoh
    pengguna aturan
    если может возможно можно бы стоит ли пример например правила правило говорит сказал или
    пользователь система варианты вариант допустим формат следует ранее""",
    """如果 假如 假设 假設 若 可能 也许 也許 可以 或 例 比如 示例 规则 規則 规定 说 說 告诉 提示
        用户 用戶 系统 系統
    选项 是否 吗 应该 還是 还是 格式 要求 もし なら かもしれ ルール ユーザー システム または
    あるいは 選択肢 べき
    でしょう 言 만약 만일 아마 예시 예를 규칙 말했 사용자 시스템 또는 혹은 선택지 إذا ربما مثال
    المستخدم
    अगर यदि शायद उदाहरण nếu có\\sthể ví\\sdụ người\\sdùng ถ้า ตัวอย่าง αν παράδειγμα""",
)
"""Conditions, questions, examples, rules and other speakers."""

SETTING_ABROAD = (
    r"(?:(?:also|daher|deshalb|nun|jetzt|ich|wir),? ){{0,3}}(?:setze|setzen|fixiere|stelle|lege) "
    r"(?:ich |wir )?(?:nun |jetzt |die variable )?{known} (?:auf|gleich|mit|=) {value}",
    r"(?:ich|wir) (?:werde|werden|möchte|will) (?:nun |jetzt |die variable )?{known} "
    r"(?:nun |jetzt )?auf {value} (?:setzen|fixieren|stellen)",
    r"(?:(?:donc|je|nous|vais|allons|veux),? ){{0,3}}(?:fixe|fixer|mets|mettre|règle|régler|"
    r"impose) "
    r"(?:la variable )?{known} (?:à|a|sur|=) {value}",
    r"(?:(?:voy|vamos|quiero|a),? ){{0,3}}(?:fijo|fijar|pongo|poner|establezco|establecer|ajusto) "
    r"(?:la variable )?{known} (?:en|a|=) {value}",
    r"(?:(?:vou|vamos|quero|eu),? ){{0,3}}(?:fixo|fixar|defino|definir|coloco|colocar|ajusto) "
    r"(?:a variável )?{known} (?:em|para|como|=) {value}",
    r"(?:(?:io|voglio),? ){{0,2}}(?:imposto|impostare|fisso|fissare) "
    r"(?:la variabile )?{known} (?:a|su|=) {value}",
    r"(?:ik )?(?:zet|stel) (?:de variabele )?{known} (?:op|in op) {value}(?: in)?",
    r"(?:[Яя] )?(?:[Уу]станавливаю|[Уу]становлю|[Зз]адаю|[Зз]адам|[Фф]иксирую|"
    r"[Сс]тавлю) (?:переменную )?{known} "
    r"(?:на|в|равным|равной|=) {value}",
    r"(?:(?:因此|所以|现在|下一步|我|我们|选择|要|将|会)[,， ]?){{0,5}}(?:将|把) ?{known} ?"
    r"(?:设置为|设置成|设为|设定为|固定为|固定在|调整为) ?{value}",
    r"{known} ?を ?{value} ?に(?:設定|固定)(?:する|します)?",
    r"{known} ?(?:을|를) ?{value} ?(?:으로|로) ?(?:설정|고정)(?:한다|합니다|하겠습니다)?",
)
"""Ways to say in one's own name that a variable is set; formats of `known` and `value`."""
