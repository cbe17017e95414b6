package org.glmtuner.data;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonNull;
import com.google.gson.JsonObject;
import com.google.gson.JsonPrimitive;
import java.nio.charset.CharacterCodingException;
import org.apache.parquet.example.data.Group;
import org.apache.parquet.schema.GroupType;
import org.apache.parquet.schema.LogicalTypeAnnotation;
import org.apache.parquet.schema.LogicalTypeAnnotation.IntLogicalTypeAnnotation;
import org.apache.parquet.schema.LogicalTypeAnnotation.ListLogicalTypeAnnotation;
import org.apache.parquet.schema.LogicalTypeAnnotation.MapLogicalTypeAnnotation;
import org.apache.parquet.schema.PrimitiveType;
import org.apache.parquet.schema.Type;
import org.apache.parquet.schema.Type.Repetition;

/**
 * Parquet values of the kinds that rows need, as JSON: texts, numbers, lists and structs of them.
 */
final class ParquetJson {
  private ParquetJson() {}

  /**
   * The value of a field, null where there is none.
   *
   * @throws RowException whose message reads on after the column's name
   */
  static JsonElement field(Group group, String name) throws RowException {
    return field(group, group.getType().getFieldIndex(name));
  }

  private static JsonElement field(Group group, int field) throws RowException {
    int count = group.getFieldRepetitionCount(field);
    if (group.getType().getType(field).isRepetition(Repetition.REPEATED)) {
      JsonArray values = new JsonArray();
      for (int i = 0; i < count; i++) {
        values.add(value(group, field, i));
      }
      return values;
    }
    return count == 0 ? JsonNull.INSTANCE : value(group, field, 0);
  }

  private static JsonElement value(Group group, int field, int index) throws RowException {
    Type type = group.getType().getType(field);
    if (type.isPrimitive()) {
      return primitive(group, field, index, type.asPrimitiveType());
    }
    LogicalTypeAnnotation annotation = type.getLogicalTypeAnnotation();
    Group value = group.getGroup(field, index);
    if (annotation instanceof ListLogicalTypeAnnotation) {
      return list(value);
    } else if (annotation instanceof MapLogicalTypeAnnotation) {
      throw unreadable(type);
    }
    JsonObject struct = new JsonObject();
    for (int i = 0; i < value.getType().getFieldCount(); i++) {
      struct.add(value.getType().getFieldName(i), field(value, i));
    }
    return struct;
  }

  /**
   * A list in any of the forms of the format's specification: its repeated field is a group around
   * the element, or in old files the element itself.
   */
  private static JsonElement list(Group list) throws RowException {
    Type repeated = list.getType().getType(0);
    boolean wrapped =
        !repeated.isPrimitive()
            && repeated.asGroupType().getFieldCount() == 1
            && !repeated.getName().equals("array")
            && !repeated.getName().equals(list.getType().getName() + "_tuple");
    if (!wrapped) {
      return field(list, 0);
    }
    JsonArray elements = new JsonArray();
    for (int i = 0; i < list.getFieldRepetitionCount(0); i++) {
      elements.add(field(list.getGroup(0, i), 0));
    }
    return elements;
  }

  private static JsonElement primitive(Group group, int field, int index, PrimitiveType type)
      throws RowException {
    LogicalTypeAnnotation annotation = type.getLogicalTypeAnnotation();
    boolean text =
        annotation == null
            || annotation.equals(LogicalTypeAnnotation.stringType())
            || annotation.equals(LogicalTypeAnnotation.enumType())
            || annotation.equals(LogicalTypeAnnotation.jsonType());
    boolean number = annotation == null || annotation instanceof IntLogicalTypeAnnotation;
    return switch (type.getPrimitiveTypeName()) {
      case BINARY -> {
        if (!text) {
          throw unreadable(type);
        }
        try {
          yield new JsonPrimitive(Utf8.decode(group.getBinary(field, index).getBytes()));
        } catch (CharacterCodingException e) {
          throw new RowException("is not UTF-8");
        }
      }
      case INT32 -> {
        if (!number) {
          throw unreadable(type);
        }
        yield new JsonPrimitive(group.getInteger(field, index));
      }
      case INT64 -> {
        if (!number) {
          throw unreadable(type);
        }
        yield new JsonPrimitive(group.getLong(field, index));
      }
      case BOOLEAN -> new JsonPrimitive(group.getBoolean(field, index));
      default -> throw unreadable(type);
    };
  }

  private static RowException unreadable(Type type) {
    String kind =
        type instanceof GroupType ? "" : type.asPrimitiveType().getPrimitiveTypeName().toString();
    LogicalTypeAnnotation annotation = type.getLogicalTypeAnnotation();
    return new RowException(
        "is of the Parquet type "
            + (kind + (annotation == null ? "" : " " + annotation)).strip()
            + " (texts, integers, lists and structs of them are read)");
  }
}
