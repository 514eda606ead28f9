import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.BufferedReader;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.apache.avro.AvroTypeException;
import org.apache.avro.Schema;
import org.apache.avro.SchemaCompatibility;
import org.apache.avro.generic.GenericData;
import org.apache.avro.generic.GenericDatumReader;
import org.apache.avro.generic.GenericDatumWriter;
import org.apache.avro.generic.GenericFixed;
import org.apache.avro.generic.IndexedRecord;
import org.apache.avro.io.BinaryDecoder;
import org.apache.avro.io.BinaryEncoder;
import org.apache.avro.io.DecoderFactory;
import org.apache.avro.io.EncoderFactory;
import org.apache.avro.io.ResolvingDecoder;

/**
 * Apache Avro, asked line by line: a request is a JSON object on a line of standard input, its answer one on standard output.
 *
 * <pre>
 * {"schema": TEXT, "values": [VALUE…], "block": BYTES or null} → {"bodies": [HEX…]}
 * {"schema": TEXT, "bodies": [HEX…], "reader": TEXT or null}   → {"rows": [{"value": VALUE} or {"error": TEXT}…], "incompatible": [TEXT…]}
 * what fails otherwise                                         → {"failure": TEXT}
 * </pre>
 *
 * With "block", arrays and maps are written by the blocking encoder, in blocks of about so many bytes, each with its size.
 * "incompatible" is what SchemaCompatibility has against the pair, as "TYPE at place".
 *
 * A VALUE is Avro's JSON encoding, with bytes and fixed in hexadecimal, and with "NaN", "Infinity" and "-Infinity" for those
 * numbers. Logical types are not converted: what is written and read is the value of the type beneath. A union's value names
 * its branch, which Avro's own generic data forget when they are read.
 */
final class Driver {
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final JsonNodeFactory NODES = JsonNodeFactory.instance;
  private static final HexFormat HEX = HexFormat.of();
  private static final GenericData DATA = new GenericData();

  static {
    DATA.setFastReaderEnabled(false); // it would pass by what Reader overrides
  }

  /** A union's value, with the branch. */
  private record Branch(Schema schema, Object value) {}

  /** Reads unions with their branches, and maps in their order. */
  private static final class Reader extends GenericDatumReader<Object> {
    Reader(Schema writer, Schema reader) {
      super(writer, reader, DATA);
    }

    @Override
    protected Object readWithoutConversion(Object old, Schema expected, ResolvingDecoder in) throws IOException {
      if (expected.getType() != Schema.Type.UNION) {
        return super.readWithoutConversion(old, expected, in);
      }
      Schema branch = expected.getTypes().get(in.readIndex());
      return new Branch(branch, read(null, branch, in));
    }

    @Override
    protected Object newMap(Object old, int size) {
      return new LinkedHashMap<>(size);
    }
  }

  public static void main(String[] arguments) throws IOException {
    var in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
    var out = new PrintStream(System.out, false, StandardCharsets.UTF_8);
    for (String line; (line = in.readLine()) != null; ) {
      ObjectNode answer;
      try {
        JsonNode request = JSON.readTree(line);
        Schema schema = new Schema.Parser().parse(request.get("schema").textValue());
        answer = request.has("values") ? write(schema, request) : read(schema, request);
      } catch (IOException | RuntimeException e) {
        var trace = new StringWriter();
        e.printStackTrace(new PrintWriter(trace));
        answer = NODES.objectNode().put("failure", trace.toString());
      }
      out.println(JSON.writeValueAsString(answer));
      out.flush();
    }
  }

  private static ObjectNode write(Schema schema, JsonNode request) throws IOException {
    var writer = new GenericDatumWriter<Object>(schema, DATA);
    var factory = new EncoderFactory();
    JsonNode block = request.path("block");
    if (block.isInt()) {
      factory.configureBlockSize(block.intValue());
    }
    ObjectNode answer = NODES.objectNode();
    ArrayNode bodies = answer.putArray("bodies");
    for (JsonNode value : request.get("values")) {
      var body = new ByteArrayOutputStream();
      BinaryEncoder encoder = block.isInt() ? factory.blockingBinaryEncoder(body, null) : factory.binaryEncoder(body, null);
      writer.write(datum(schema, value), encoder);
      encoder.flush();
      bodies.add(HEX.formatHex(body.toByteArray()));
    }
    return answer;
  }

  private static ObjectNode read(Schema schema, JsonNode request) throws IOException {
    Schema readerSchema = request.path("reader").isTextual() ? new Schema.Parser().parse(request.get("reader").textValue()) : schema;
    var reader = new Reader(schema, readerSchema);
    ObjectNode answer = NODES.objectNode();
    ArrayNode rows = answer.putArray("rows");
    for (JsonNode body : request.get("bodies")) {
      ObjectNode row = rows.addObject();
      BinaryDecoder decoder = DecoderFactory.get().binaryDecoder(HEX.parseHex(body.textValue()), null);
      try {
        row.set("value", told(readerSchema, reader.read(null, decoder)));
        if (!decoder.isEnd()) {
          throw new IOException("bytes are left over in " + body.textValue());
        }
      } catch (AvroTypeException e) {
        row.put("error", String.valueOf(e.getMessage()));
      }
    }
    ArrayNode incompatible = answer.putArray("incompatible");
    Schema renamed = Schema.applyAliases(schema, readerSchema); // as GenericDatumReader does
    for (var one : SchemaCompatibility.checkReaderWriterCompatibility(readerSchema, renamed).getResult().getIncompatibilities()) {
      incompatible.add(one.getType() + " at " + one.getLocation());
    }
    return answer;
  }

  /** Avro's generic data of a VALUE. */
  private static Object datum(Schema schema, JsonNode value) {
    return switch (schema.getType()) {
      case NULL -> null;
      case BOOLEAN -> value.booleanValue();
      case INT -> value.intValue();
      case LONG -> value.longValue();
      case FLOAT -> (float) number(value);
      case DOUBLE -> number(value);
      case STRING -> value.textValue();
      case BYTES -> ByteBuffer.wrap(HEX.parseHex(value.textValue()));
      case FIXED -> new GenericData.Fixed(schema, HEX.parseHex(value.textValue()));
      case ENUM -> new GenericData.EnumSymbol(schema, value.textValue());
      case UNION -> {
        if (value.isNull()) {
          yield null;
        }
        String name = value.fieldNames().next();
        yield datum(schema.getTypes().get(schema.getIndexNamed(name)), value.get(name));
      }
      case ARRAY -> {
        List<Object> items = new ArrayList<>();
        value.forEach(item -> items.add(datum(schema.getElementType(), item)));
        yield new GenericData.Array<>(schema, items);
      }
      case MAP -> {
        Map<String, Object> items = new LinkedHashMap<>();
        value.properties().forEach(item -> items.put(item.getKey(), datum(schema.getValueType(), item.getValue())));
        yield items;
      }
      case RECORD -> {
        var record = new GenericData.Record(schema);
        schema.getFields().forEach(field -> record.put(field.pos(), datum(field.schema(), value.get(field.name()))));
        yield record;
      }
    };
  }

  private static double number(JsonNode value) {
    return value.isTextual() ? Double.parseDouble(value.textValue()) : value.doubleValue();
  }

  /** The VALUE of Avro's generic data. */
  private static JsonNode told(Schema schema, Object datum) {
    return switch (schema.getType()) {
      case NULL -> NODES.nullNode();
      case BOOLEAN -> NODES.booleanNode((Boolean) datum);
      case INT -> NODES.numberNode((Integer) datum);
      case LONG -> NODES.numberNode((Long) datum);
      case FLOAT, DOUBLE -> {
        double number = ((Number) datum).doubleValue();
        yield Double.isFinite(number) ? NODES.numberNode(number) : NODES.textNode(Double.toString(number));
      }
      case STRING, ENUM -> NODES.textNode(datum.toString());
      case BYTES -> {
        byte[] bytes = new byte[((ByteBuffer) datum).remaining()];
        ((ByteBuffer) datum).duplicate().get(bytes);
        yield NODES.textNode(HEX.formatHex(bytes));
      }
      case FIXED -> NODES.textNode(HEX.formatHex(((GenericFixed) datum).bytes()));
      case UNION -> {
        Branch branch = (Branch) datum;
        yield branch.schema().getType() == Schema.Type.NULL
            ? NODES.nullNode()
            : NODES.objectNode().set(branch.schema().getFullName(), told(branch.schema(), branch.value()));
      }
      case ARRAY -> {
        ArrayNode items = NODES.arrayNode();
        ((Iterable<?>) datum).forEach(item -> items.add(told(schema.getElementType(), item)));
        yield items;
      }
      case MAP -> {
        ObjectNode items = NODES.objectNode();
        ((Map<?, ?>) datum).forEach((key, item) -> items.set(key.toString(), told(schema.getValueType(), item)));
        yield items;
      }
      case RECORD -> {
        ObjectNode record = NODES.objectNode();
        schema.getFields().forEach(field -> record.set(field.name(), told(field.schema(), ((IndexedRecord) datum).get(field.pos()))));
        yield record;
      }
    };
  }
}
