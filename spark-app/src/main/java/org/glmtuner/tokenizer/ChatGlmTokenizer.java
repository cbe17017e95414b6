package org.glmtuner.tokenizer;

import ai.djl.sentencepiece.SpTokenizer;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import org.glmtuner.failure.ExitCode;
import org.glmtuner.failure.TunerException;
import org.glmtuner.model.ChatGlmConfig;
import org.glmtuner.model.Release;
import org.glmtuner.model.SpecialIds;
import org.glmtuner.storage.Folder;

/**
 * ChatGLM-6B's tokenizer: SentencePiece, with line breaks, tabs and runs of blanks as pieces.
 *
 * <p>Owns native memory. Threads may share it; it is closed when none uses it any more.
 */
public final class ChatGlmTokenizer implements AutoCloseable {
  /** The file's name in a model directory. */
  public static final String FILE = "ice_text.model";

  /** Above any real model of SentencePiece. */
  public static final int MAX_BYTES = 64 << 20;

  private final String location;
  private final PieceTable pieces;
  private final SpecialIds specialIds;
  private final SpTokenizer sentencePiece;
  private volatile boolean closed;

  private ChatGlmTokenizer(
      String location, PieceTable pieces, SpecialIds specialIds, SpTokenizer sentencePiece) {
    this.location = location;
    this.pieces = pieces;
    this.specialIds = specialIds;
    this.sentencePiece = sentencePiece;
  }

  /** Loads the {@code ice_text.model} of a model directory, as {@link #load} does its bytes. */
  public static ChatGlmTokenizer open(Folder model, Path nativeDirectory) throws IOException {
    return load(model.readAll(FILE, MAX_BYTES), model.locate(FILE), nativeDirectory);
  }

  /**
   * Loads the bytes of an {@code ice_text.model}.
   *
   * <p>The first call in a JVM unpacks and loads a native library and switches DJL's telemetry off;
   * both hold for the whole JVM, so that later calls cannot choose another directory.
   *
   * @param location the file's path, for messages
   * @param nativeDirectory where DJL unpacks native libraries, in files it makes itself
   * @throws TunerException if the file is no such model or lacks one of the special pieces, or if
   *     the native library cannot be loaded
   */
  public static ChatGlmTokenizer load(byte[] model, String location, Path nativeDirectory) {
    PieceTable pieces = PieceTable.parse(model, location);
    SpecialIds specialIds = specialIds(pieces, location);
    System.setProperty("OPT_OUT_TRACKING", "true");
    System.setProperty("ai.djl.offline", "true");
    System.setProperty("ENGINE_CACHE_DIR", nativeDirectory.toAbsolutePath().toString());
    try {
      return new ChatGlmTokenizer(location, pieces, specialIds, new SpTokenizer(model));
    } catch (LinkageError | IllegalStateException e) {
      throw new TunerException(
          ExitCode.UNSUITABLE,
          "Cannot load DJL's SentencePiece library by way of " + nativeDirectory + ": " + e,
          e);
    } catch (RuntimeException e) {
      throw TunerException.damaged("Cannot read " + location + ": " + e.getMessage(), e);
    }
  }

  private static SpecialIds specialIds(PieceTable pieces, String location) {
    return new SpecialIds(
        special(pieces, "[MASK]", location),
        special(pieces, "[gMASK]", location),
        special(pieces, "<sop>", location),
        special(pieces, "<eop>", location),
        special(pieces, "<pad>", location));
  }

  private static int special(PieceTable pieces, String text, String location) {
    return pieces
        .find(text)
        .orElseThrow(
            () ->
                TunerException.damaged(
                    "Cannot use "
                        + location
                        + ": it has no piece "
                        + text
                        + " (the tokenizer of "
                        + Release.SLIMMED.title()
                        + " has; a file of before is stale)"));
  }

  /** Ids of the special pieces, by their names. */
  public SpecialIds specialIds() {
    return specialIds;
  }

  /** Number of pieces; ids run from 0 to below it. */
  public int pieceCount() {
    return pieces.size();
  }

  /**
   * Refuses a model whose special tokens are not this tokenizer's: files of different releases.
   *
   * @throws TunerException naming the token, both ids, and which file is stale where that is known
   */
  public void checkAgainst(ChatGlmConfig config) {
    new ReleaseCheck(location, pieces.size(), specialIds).against(config);
  }

  /**
   * As {@link #checkAgainst}, for the bytes of an {@code ice_text.model}, without a native library.
   *
   * @throws TunerException as {@link #load} and {@link #checkAgainst}
   */
  public static void check(byte[] model, String location, ChatGlmConfig config) {
    PieceTable pieces = PieceTable.parse(model, location);
    new ReleaseCheck(location, pieces.size(), specialIds(pieces, location)).against(config);
  }

  /**
   * Token ids of the text, without special tokens. Text that spells a special token, such as {@code
   * [gMASK]}, is text like any other.
   */
  public int[] encode(String text) {
    checkOpen();
    return sentencePiece.getProcessor().encode(Whitespace.toPieces(text));
  }

  /**
   * Token ids as the official tokenizer gives them, without those that it adds at the end: text
   * that spells {@code [MASK]}, {@code <sop>}, {@code <eop>}, {@code <unk>} or {@code <pad>}
   * becomes that special token, and the blanks beside it go.
   */
  public int[] encodeOfficially(String text) {
    return SpecialTexts.split(text).stream()
        .flatMapToInt(
            part ->
                part.special()
                    ? IntStream.of(special(pieces, part.text(), location))
                    : IntStream.of(encode(part.text())))
        .toArray();
  }

  /**
   * As {@link #decode}, without the tokens that the official tokenizer registers as special: {@code
   * <unk>} vanishes too. The official evaluation compares such texts.
   */
  public String decodeSkippingSpecials(int[] ids) {
    return decode(
        Arrays.stream(ids)
            .filter(
                id ->
                    id < 0
                        || id >= pieces.size()
                        || !SpecialTexts.REGISTERED.contains(pieces.get(id).text()))
            .toArray());
  }

  /**
   * Text of the ids, as the official {@code decode}: blanks before punctuation go. Special tokens
   * vanish; an id that no piece has, as a model with more rows in its embedding may emit, becomes
   * U+FFFD.
   */
  public String decode(int[] ids) {
    checkOpen();
    return withoutLooseBlanks(Whitespace.fromPieces(PieceDecoder.decode(pieces, ids)));
  }

  /** The clean-up that Hugging Face tokenizers end with, replacement by replacement. */
  private static String withoutLooseBlanks(String text) {
    String result = text;
    for (String mark : List.of(".", "?", "!", ",")) {
      result = result.replace(" " + mark, mark);
    }
    result = result.replace(" ' ", "'");
    for (String ending : List.of("n't", "'m", "'s", "'ve", "'re")) {
      result = result.replace(" " + ending, ending);
    }
    return result;
  }

  private void checkOpen() {
    if (closed) {
      throw new IllegalStateException("Cannot use the tokenizer " + location + ": it is closed");
    }
  }

  /** Frees the native memory; a second call has no effect. */
  @Override
  public void close() {
    if (!closed) {
      closed = true;
      sentencePiece.close();
    }
  }
}
