package org.glmtuner.tokenizer;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.CharsetDecoder;
import java.nio.charset.StandardCharsets;
import org.glmtuner.tokenizer.PieceTable.Piece;

/** Joins pieces to text by the rules of SentencePiece, for one sequence of ids. */
final class PieceDecoder {
  private static final String BLANK = "\u2581";
  private static final String UNKNOWN = " \u2047 ";
  private static final char REPLACEMENT = '\ufffd';

  private final StringBuilder text = new StringBuilder();
  private final ByteArrayOutputStream bytes = new ByteArrayOutputStream();

  private PieceDecoder() {}

  static String decode(PieceTable table, int[] ids) {
    PieceDecoder decoder = new PieceDecoder();
    for (int id : ids) {
      if (id < 0 || id >= table.size()) {
        decoder.flushBytes();
        decoder.text.append(REPLACEMENT);
      } else {
        decoder.add(table.get(id));
      }
    }
    decoder.flushBytes();
    return decoder.text.toString();
  }

  private void add(Piece piece) {
    if (piece.type() == PieceTable.Type.BYTE) {
      bytes.write(Integer.decode(piece.text().substring(1, piece.text().length() - 1)));
      return;
    }
    flushBytes();
    switch (piece.type()) {
      case CONTROL -> {}
      case UNKNOWN -> text.append(UNKNOWN);
      default -> {
        // The normalizer put a blank before the text, and removed those that stood there.
        boolean first = text.isEmpty() && piece.text().startsWith(BLANK);
        text.append(piece.text().substring(first ? 1 : 0).replace(BLANK, " "));
      }
    }
  }

  /** UTF-8 that may be wrong anywhere: each byte that starts no character becomes U+FFFD. */
  private void flushBytes() {
    if (bytes.size() == 0) {
      return;
    }
    ByteBuffer input = ByteBuffer.wrap(bytes.toByteArray());
    bytes.reset();
    CharsetDecoder utf8 = StandardCharsets.UTF_8.newDecoder();
    CharBuffer output = CharBuffer.allocate(input.remaining() + 1);
    while (input.hasRemaining()) {
      utf8.reset();
      utf8.decode(input, output, true);
      if (input.hasRemaining()) { // stopped at a byte that is wrong, or at a cut character
        input.get();
        output.put(REPLACEMENT);
      }
    }
    text.append(output.flip());
  }
}
