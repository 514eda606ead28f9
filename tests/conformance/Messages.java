import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.google.protobuf.ByteString;
import com.google.protobuf.DescriptorProtos.FileDescriptorProto;
import com.google.protobuf.Descriptors.Descriptor;
import com.google.protobuf.Descriptors.DescriptorValidationException;
import com.google.protobuf.Descriptors.EnumValueDescriptor;
import com.google.protobuf.Descriptors.FieldDescriptor;
import com.google.protobuf.Descriptors.FileDescriptor;
import com.google.protobuf.DynamicMessage;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.MapEntry;
import com.google.protobuf.Message;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.charset.StandardCharsets;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * Google's Java Protobuf, asked line by line: a request is a JSON object on a line of standard input, its answer one on standard
 * output.
 *
 * <pre>
 * {"file": HEX of a FileDescriptorProto, "type": NAME, "bodies": [HEX…]} → {"rows": [{"value": VALUE} or {"error": TEXT}…]}
 * what fails otherwise                                                  → {"failure": TEXT}
 * </pre>
 *
 * The VALUE of a message is an object of its fields: null where a field with presence is absent, [[KEY, VALUE]…] of maps, the
 * bits of float and double as integers, bytes in hexadecimal, and the numbers of enums.
 */
final class Messages {
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final JsonNodeFactory NODES = JsonNodeFactory.instance;
  private static final HexFormat HEX = HexFormat.of();

  public static void main(String[] arguments) throws IOException {
    var in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
    var out = new PrintStream(System.out, false, StandardCharsets.UTF_8);
    for (String line; (line = in.readLine()) != null; ) {
      ObjectNode answer;
      try {
        answer = read(JSON.readTree(line));
      } catch (IOException | RuntimeException | DescriptorValidationException e) {
        var trace = new StringWriter();
        e.printStackTrace(new PrintWriter(trace));
        answer = NODES.objectNode().put("failure", trace.toString());
      }
      out.println(JSON.writeValueAsString(answer));
      out.flush();
    }
  }

  private static ObjectNode read(JsonNode request) throws IOException, DescriptorValidationException {
    var proto = FileDescriptorProto.parseFrom(HEX.parseHex(request.get("file").textValue()));
    Descriptor type = FileDescriptor.buildFrom(proto, new FileDescriptor[0]).findMessageTypeByName(request.get("type").textValue());
    ObjectNode answer = NODES.objectNode();
    ArrayNode rows = answer.putArray("rows");
    for (JsonNode body : request.get("bodies")) {
      ObjectNode row = rows.addObject();
      try {
        row.set("value", told(DynamicMessage.parseFrom(type, HEX.parseHex(body.textValue()))));
      } catch (InvalidProtocolBufferException e) {
        row.put("error", String.valueOf(e.getMessage()));
      }
    }
    return answer;
  }

  private static ObjectNode told(Message message) {
    ObjectNode value = NODES.objectNode();
    for (FieldDescriptor field : message.getDescriptorForType().getFields()) {
      value.set(field.getName(), told(message, field));
    }
    return value;
  }

  private static JsonNode told(Message message, FieldDescriptor field) {
    if (field.hasPresence() && !message.hasField(field)) {
      return NODES.nullNode();
    }
    if (!field.isRepeated()) {
      return told(field, message.getField(field));
    }
    ArrayNode items = NODES.arrayNode();
    if (!field.isMapField()) {
      for (int at = 0; at < message.getRepeatedFieldCount(field); at++) {
        items.add(told(field, message.getRepeatedField(field, at)));
      }
      return items;
    }
    FieldDescriptor key = field.getMessageType().findFieldByNumber(1);
    FieldDescriptor item = field.getMessageType().findFieldByNumber(2);
    Map<Object, JsonNode> entries = new LinkedHashMap<>(); // a dynamic message has the entries as they came
    for (int at = 0; at < message.getRepeatedFieldCount(field); at++) {
      Message entry = (Message) message.getRepeatedField(field, at);
      entries.put(part(entry, key), told(item, part(entry, item)));
    }
    entries.forEach((name, value) -> items.addArray().add(told(key, name)).add(value));
    return items;
  }

  private static Object part(Message entry, FieldDescriptor field) {
    return entry instanceof MapEntry<?, ?> pair ? (field.getNumber() == 1 ? pair.getKey() : pair.getValue()) : entry.getField(field);
  }

  private static JsonNode told(FieldDescriptor field, Object value) {
    return switch (field.getType()) {
      case MESSAGE, GROUP -> told((Message) value);
      case ENUM -> NODES.numberNode(((EnumValueDescriptor) value).getNumber());
      case BOOL -> NODES.booleanNode((Boolean) value);
      case STRING -> NODES.textNode((String) value);
      case BYTES -> NODES.textNode(HEX.formatHex(((ByteString) value).toByteArray()));
      case FLOAT -> NODES.numberNode(Integer.toUnsignedLong(Float.floatToIntBits((Float) value)));
      case DOUBLE -> JSON.valueToTree(new java.math.BigInteger(Long.toUnsignedString(Double.doubleToLongBits((Double) value))));
      case UINT32, FIXED32 -> NODES.numberNode(Integer.toUnsignedLong((Integer) value));
      case UINT64, FIXED64 -> JSON.valueToTree(new java.math.BigInteger(Long.toUnsignedString((Long) value)));
      case INT32, SINT32, SFIXED32 -> NODES.numberNode((Integer) value);
      case INT64, SINT64, SFIXED64 -> NODES.numberNode((Long) value);
    };
  }
}
