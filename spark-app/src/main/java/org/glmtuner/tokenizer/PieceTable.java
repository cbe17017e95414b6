package org.glmtuner.tokenizer;

import java.nio.BufferUnderflowException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.regex.Pattern;
import org.glmtuner.failure.TunerException;

/**
 * The pieces of a SentencePiece model, read from its protobuf: the native library shows their texts
 * but not their types.
 */
final class PieceTable {

  /** Numbers of the file format. */
  enum Type {
    NORMAL,
    UNKNOWN,
    CONTROL,
    USER_DEFINED,
    UNUSED,
    BYTE
  }

  record Piece(String text, Type type) {}

  private static final Pattern BYTE_PIECE = Pattern.compile("<0x[0-9A-F]{2}>");
  private static final int PIECES_FIELD = 1;
  private static final int TEXT_FIELD = 1;
  private static final int TYPE_FIELD = 3;
  private static final int NORMALIZER_FIELD = 3;
  private static final int DUMMY_PREFIX_FIELD = 3;
  private static final int REMOVE_BLANKS_FIELD = 4;

  private final List<Piece> pieces = new ArrayList<>();
  private final Map<String, Integer> ids = new HashMap<>();

  private PieceTable() {}

  /**
   * Reads the bytes of a {@code .model} file.
   *
   * @param location its path, for messages
   * @throws TunerException if it is none, or one that treats blanks in another way than ChatGLM's
   */
  static PieceTable parse(byte[] model, String location) {
    PieceTable table = new PieceTable();
    try {
      table.parse(ByteBuffer.wrap(model), location);
    } catch (BufferUnderflowException | IllegalArgumentException e) {
      throw TunerException.damaged(
          "Cannot read " + location + ": it is not a SentencePiece model, or was cut short", e);
    }
    if (table.pieces.isEmpty()) {
      throw TunerException.damaged(
          "Cannot read " + location + ": it is not a SentencePiece model: it has no pieces");
    }
    return table;
  }

  private void parse(ByteBuffer model, String location) {
    while (model.hasRemaining()) {
      long tag = varint(model);
      if (tag == tag(PIECES_FIELD)) {
        addPiece(message(model));
      } else if (tag == tag(NORMALIZER_FIELD)) {
        checkNormalizer(message(model), location);
      } else {
        skip(model, tag);
      }
    }
  }

  private void addPiece(ByteBuffer message) {
    String text = "";
    long type = 1;
    while (message.hasRemaining()) {
      long tag = varint(message);
      if (tag == tag(TEXT_FIELD)) {
        text = StandardCharsets.UTF_8.decode(message(message)).toString();
      } else if (tag == TYPE_FIELD << 3) {
        type = varint(message);
      } else {
        skip(message, tag);
      }
    }
    if (type < 1 || type > Type.values().length) {
      throw new IllegalArgumentException("type " + type);
    }
    Piece piece = new Piece(text, Type.values()[(int) type - 1]);
    if (piece.type() == Type.BYTE && !BYTE_PIECE.matcher(text).matches()) {
      throw new IllegalArgumentException("byte piece " + text);
    }
    ids.put(text, pieces.size());
    pieces.add(piece);
  }

  private static void checkNormalizer(ByteBuffer message, String location) {
    while (message.hasRemaining()) {
      long tag = varint(message);
      boolean blanks = tag == DUMMY_PREFIX_FIELD << 3 || tag == REMOVE_BLANKS_FIELD << 3;
      if (!blanks) {
        skip(message, tag);
      } else if (varint(message) == 0) {
        throw TunerException.damaged(
            "Cannot use " + location + ": its normalizer keeps blanks, unlike ChatGLM-6B's");
      }
    }
  }

  /** The tag of a field whose length precedes it. */
  private static long tag(int field) {
    return ((long) field << 3) | 2;
  }

  private static long varint(ByteBuffer buffer) {
    long value = 0;
    for (int shift = 0; shift < Long.SIZE; shift += 7) {
      byte next = buffer.get();
      value |= (next & 0x7fL) << shift;
      if (next >= 0) {
        return value;
      }
    }
    throw new IllegalArgumentException("a number has more than 64 bits");
  }

  private static ByteBuffer message(ByteBuffer buffer) {
    long length = varint(buffer);
    if (length < 0 || length > buffer.remaining()) {
      throw new BufferUnderflowException();
    }
    ByteBuffer message = buffer.slice(buffer.position(), (int) length);
    buffer.position(buffer.position() + (int) length);
    return message;
  }

  private static void skip(ByteBuffer buffer, long tag) {
    switch ((int) (tag & 7)) {
      case 0 -> varint(buffer);
      case 1 -> buffer.getLong();
      case 2 -> message(buffer);
      case 5 -> buffer.getInt();
      default -> throw new IllegalArgumentException("wire type " + (tag & 7));
    }
  }

  int size() {
    return pieces.size();
  }

  Piece get(int id) {
    return pieces.get(id);
  }

  OptionalInt find(String text) {
    Integer id = ids.get(text);
    return id == null ? OptionalInt.empty() : OptionalInt.of(id);
  }
}
