"""Trains the sample's SentencePiece model, with the special pieces of ChatGLM-6B.

Usage: train_tokenizer.py CORPUS ice_text.model
"""

import sys

import sentencepiece

BLANKS = [f"<|blank_{n}|>" for n in range(2, 81)]
SPECIALS = ["[MASK]", "[gMASK]", "[sMASK]", "<unused_0>", "<sop>", "<eop>", "<ENC>", "<dBLOCK>"]

corpus, model = sys.argv[1:]
# Sentences, not a file: the model would keep its path.
with open(corpus, encoding="utf-8") as sentences, open(model, "wb") as out:
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=(line.rstrip("\n") for line in sentences),
        model_writer=out,
        model_type="unigram",
        vocab_size=640,
        character_coverage=1.0,
        byte_fallback=True,
        normalization_rule_name="nmt_nfkc",
        unk_id=0,
        bos_id=1,
        eos_id=2,
        pad_id=3,
        user_defined_symbols=["<n>", "<|tab|>", *BLANKS],
        control_symbols=SPECIALS,
        num_threads=1,
    )
