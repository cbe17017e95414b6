package org.glmtuner.data;

import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;

/** Texts in files. */
final class Utf8 {
  private Utf8() {}

  /** {@code stream} from behind its byte order mark, if it has one. */
  static InputStream withoutByteOrderMark(InputStream stream) throws IOException {
    BufferedInputStream buffered = new BufferedInputStream(stream);
    buffered.mark(3);
    if (buffered.read() != 0xef || buffered.read() != 0xbb || buffered.read() != 0xbf) {
      buffered.reset();
    }
    return buffered;
  }

  /** Decodes by the letter of the standard. */
  static String decode(byte[] bytes) throws CharacterCodingException {
    return StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes)).toString();
  }
}
