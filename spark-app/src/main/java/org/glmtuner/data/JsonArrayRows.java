package org.glmtuner.data;

import com.google.gson.Gson;
import com.google.gson.JsonElement;
import com.google.gson.JsonParseException;
import com.google.gson.Strictness;
import com.google.gson.TypeAdapter;
import com.google.gson.stream.JsonReader;
import com.google.gson.stream.MalformedJsonException;
import java.io.Closeable;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.Iterator;
import java.util.NoSuchElementException;
import org.glmtuner.failure.TunerException;

/**
 * The elements of a file that is one JSON array, one at a time: the file is never in memory as a
 * whole. Owns the stream.
 *
 * <p>Damage inside the array makes everything behind it unreadable, so it ends the reading with a
 * {@link TunerException}; an I/O error with an {@link UncheckedIOException}.
 */
public final class JsonArrayRows implements Iterator<JsonArrayRows.Row>, Closeable {
  private static final TypeAdapter<JsonElement> ELEMENTS = new Gson().getAdapter(JsonElement.class);

  /**
   * An element.
   *
   * @param number its place in the array, from 0
   */
  public record Row(long number, JsonElement element) {}

  /** A step of the reader. */
  private interface Step<T> {
    T take() throws IOException;
  }

  private final String location;
  private final JsonReader reader;
  private long next;
  private boolean ended;

  /**
   * @param location the file's path, for messages
   */
  public JsonArrayRows(InputStream stream, String location) {
    this.location = location;
    InputStream text = step(() -> Utf8.withoutByteOrderMark(stream));
    this.reader = new JsonReader(new InputStreamReader(text, StandardCharsets.UTF_8.newDecoder()));
    reader.setStrictness(Strictness.STRICT);
    step(
        () -> {
          reader.beginArray();
          return true;
        });
  }

  @Override
  public boolean hasNext() {
    if (!ended && !step(reader::hasNext)) {
      ended = true;
      step(
          () -> {
            reader.endArray();
            return reader.peek(); // throws if anything follows
          });
    }
    return !ended;
  }

  @Override
  public Row next() {
    if (!hasNext()) {
      throw new NoSuchElementException();
    }
    JsonElement element = step(() -> ELEMENTS.read(reader));
    return new Row(next++, element);
  }

  private <T> T step(Step<T> step) {
    try {
      return step.take();
    } catch (CharacterCodingException e) {
      throw damaged("is not UTF-8", e);
    } catch (MalformedJsonException | EOFException | JsonParseException | IllegalStateException e) {
      throw damaged("is not JSON" + JsonRow.place(e), e);
    } catch (IOException e) {
      throw new UncheckedIOException("Cannot read " + location + ": " + e.getMessage(), e);
    }
  }

  private TunerException damaged(String reason, Exception cause) {
    return TunerException.damaged(
        "Cannot read " + location + ": element " + next + " of its array " + reason, cause);
  }

  @Override
  public void close() throws IOException {
    reader.close();
  }
}
