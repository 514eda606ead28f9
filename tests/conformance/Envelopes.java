// Writes kafarr/format/json/testdata/connect.jsonl with the JsonConverter of Kafka 4.4.0, a line each: every type, every logical type of Connect's, nulls, and the
// numeric form of decimals. In the root of the tree: java -cp ".cache/servers/kafka-4.4.0/*" tests/conformance/Envelopes.java > kafarr/format/json/testdata/connect.jsonl

import java.math.BigDecimal;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Date;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.apache.kafka.connect.data.Decimal;
import org.apache.kafka.connect.data.Schema;
import org.apache.kafka.connect.data.SchemaBuilder;
import org.apache.kafka.connect.data.Struct;
import org.apache.kafka.connect.data.Time;
import org.apache.kafka.connect.data.Timestamp;
import org.apache.kafka.connect.json.JsonConverter;

public class Envelopes {
    public static void main(String[] arguments) {
        Schema point = SchemaBuilder.struct().name("example.Point").field("x", Schema.INT32_SCHEMA).field("y", Schema.OPTIONAL_INT32_SCHEMA).optional().build();
        Schema schema = SchemaBuilder.struct().name("example.Every").version(3).doc("every type")
            .field("i8", Schema.INT8_SCHEMA).field("i16", Schema.INT16_SCHEMA).field("i32", Schema.INT32_SCHEMA).field("i64", Schema.OPTIONAL_INT64_SCHEMA)
            .field("f", Schema.FLOAT32_SCHEMA).field("d", Schema.FLOAT64_SCHEMA).field("b", Schema.BOOLEAN_SCHEMA).field("s", Schema.OPTIONAL_STRING_SCHEMA).field("x", Schema.BYTES_SCHEMA)
            .field("list", SchemaBuilder.array(Schema.OPTIONAL_STRING_SCHEMA).build())
            .field("map", SchemaBuilder.map(Schema.STRING_SCHEMA, Schema.INT32_SCHEMA).build())
            .field("pairs", SchemaBuilder.map(Schema.INT32_SCHEMA, Schema.STRING_SCHEMA).build())
            .field("point", point).field("points", SchemaBuilder.array(point).optional().build())
            .field("dec", Decimal.builder(2).parameter("connect.decimal.precision", "10").build()).field("num", Decimal.builder(0).optional().build())
            .field("day", org.apache.kafka.connect.data.Date.SCHEMA).field("time", Time.SCHEMA).field("ts", Timestamp.builder().optional().build())
            .build();
        List<Object> values = new ArrayList<>();
        values.add(new Struct(schema).put("i8", (byte) -128).put("i16", (short) 32767).put("i32", -2147483648).put("i64", 9223372036854775807L)
            .put("f", 1.1f).put("d", -2.2250738585072014E-308).put("b", true).put("s", "a\"\\\n\u00e4\ud834\udd1e").put("x", ByteBuffer.wrap("hi\u0000".getBytes(StandardCharsets.UTF_8)))
            .put("list", java.util.Arrays.asList("x", null, "")).put("map", new TreeMap<>(Map.of("k", 1, "", 2))).put("pairs", new TreeMap<>(Map.of(2, "two", -1, "")))
            .put("point", new Struct(point).put("x", 1)).put("points", List.of(new Struct(point).put("x", 2).put("y", 3)))
            .put("dec", new BigDecimal("-12345678.90")).put("num", new BigDecimal("12345678901234567890123456789012345678"))
            .put("day", new Date(86_400_000L * 19675)).put("time", new Date(86_399_999L)).put("ts", new Date(1_700_000_000_123L)));
        values.add(new Struct(schema).put("i8", (byte) 0).put("i16", (short) 0).put("i32", 0).put("f", 0f).put("d", -0.0).put("b", false).put("x", new byte[0])
            .put("list", List.of()).put("map", Map.of()).put("pairs", Map.of()).put("dec", new BigDecimal("0.00")).put("day", new Date(-86_400_000L)).put("time", new Date(0)));
        for (String decimals : List.of("BASE64", "NUMERIC")) {
            JsonConverter converter = new JsonConverter();
            converter.configure(Map.of("schemas.enable", "true", "decimal.format", decimals), false);
            for (Object value : values) {
                System.out.println(new String(converter.fromConnectData("topic", schema, value), StandardCharsets.UTF_8));
            }
        }
    }
}
