"""Tables of memory tokens that a base model reads."""

from __future__ import annotations

from collections.abc import Iterator

from docs.tables.results import Cells, figures, record

SOURCES = {"wikitext": "WikiText-2", "dialogues": "dialogues", "meetings": "meetings"}
SETS = {
    "strategyqa_pairs": "StrategyQA",
    "squality_pairs": "SQuALITY",
    "nqg_squad_sentence_pairs": "SQuAD, sentences",
    "sgd_slot_pairs": "SGD, slots",
}
KNOWN = {
    "nothing": "nothing",
    "memory": "memory tokens",
    "recall": "what `recall` finds",
    "passage": "the passage",
}
WAYS = {
    "last_turns": "last turns",
    "memory": "memory tokens",
    "context": "`context()`",
    "memory_and_context": "memory tokens and `context()`, half each",
}


def latent_reading() -> Iterator[Cells]:
    """Perplexity of the next tokens, by history."""
    yield (
        "", "history", "a segment", "nothing", "last tokens", "memory tokens", "half of each",
        "all of it", "share", "share beside the last 16",
    )  # fmt: skip
    for source, label in SOURCES.items():
        for cell in figures("latent")["reading"][source]["cells"]:
            found = cell["perplexity"]
            yield (
                label,
                f"{cell['history']:,}",
                f"{cell['segment']}",
                *(
                    f"{found[name]:.1f}" if name in found else "-"
                    for name in ("none", "same", "memory", "half", "full")
                ),
                f"{cell['share']:.2f}",
                f"{cell['share_beside']:.2f}",
            )
            label = ""


def latent_passages() -> Iterator[Cells]:
    """Answers to questions about passages."""
    found = figures("latent-questions")["passages"]
    yield "exact match / F1 / nats a token", *(SETS[name] for name in found)
    for way, label in KNOWN.items():
        said = (one["ways"][way] for one in found.values())
        yield label, *(f"{one['exact']:.2f} / {one['f1']:.2f} / {one['nats']:.2f}" for one in said)
    known = [one["ways"]["nothing"]["questions"] for one in found.values()]
    yield "questions", *(f"{count}" for count in known)


def latent_conversations() -> Iterator[Cells]:
    """Answers to questions about conversations over weeks."""
    found = figures("latent-questions")["conversations"]
    yield "", "exact match", "F1", "nats a token of the answer", "prompt tokens", "questions"
    for way, label in WAYS.items():
        one = found["ways"][way]
        yield (
            label,
            f"{one['exact']:.2f}",
            f"{one['f1']:.2f}",
            f"{one['nats']:.2f}",
            f"{one['prompt_tokens']:.0f}",
            f"{one['questions']}",
        )


def latent_training() -> Iterator[Cells]:
    """What memory tokens keep, along the training."""
    yield "tokens read", "steps", "minutes", "share of the gain", "beside the last 16"
    for point in record("latent-training")["curve"]:
        if "held_out" in point:
            held = point["held_out"]
            yield (
                f"{point['tokens']:,}",
                f"{point['step']}",
                f"{point['elapsed_s'] / 60:.0f}",
                f"{held['share']:.2f}",
                f"{held['share_beside']:.2f}",
            )
