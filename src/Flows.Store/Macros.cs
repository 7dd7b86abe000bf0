namespace Flows.Store;

/// <summary>The macros of a store, plain SQL: the same text serves the engine here and a stock DuckDB that reads views.sql.</summary>
internal static class Macros
{
    /// <remarks>
    /// A macro is pasted wherever its parameter stands, so nested macros grow exponentially; <c>list_transform([x], lambda y: ...)[1]</c>
    /// is how SQL says "let y = x" without a subquery. <c>addr</c> follows RFC 5952, and its section 5 for the forms that embed IPv4
    /// (compatible, SIIT, ISATAP), as <see cref="System.Net.IPAddress"/> does, so that C# and SQL print the same text. <c>ip</c> errs on
    /// a text that is no address: a typing error must not look like an address that never talked.
    /// </remarks>
    public const string Sql = """
        CREATE OR REPLACE MACRO stable_id_of(text) AS greatest(('0x' || left(sha256(text), 16))::UBIGINT, 1::UBIGINT);
        CREATE OR REPLACE MACRO stable_id
            (a) AS stable_id_of(a),
            (a, b) AS stable_id_of(a || chr(31) || b),
            (a, b, c) AS stable_id_of(a || chr(31) || b || chr(31) || c),
            (a, b, c, d) AS stable_id_of(a || chr(31) || b || chr(31) || c || chr(31) || d);
        CREATE OR REPLACE MACRO addr_v4(h) AS concat_ws('.', ('0x' || h[25:26])::UTINYINT, ('0x' || h[27:28])::UTINYINT, ('0x' || h[29:30])::UTINYINT, ('0x' || h[31:32])::UTINYINT);
        CREATE OR REPLACE MACRO addr_short(groups) AS list_transform([groups], lambda g: list_transform([CASE
            WHEN contains(g, '|0|0|0|0|0|0|0|0|') THEN '|0|0|0|0|0|0|0|0|' WHEN contains(g, '|0|0|0|0|0|0|0|') THEN '|0|0|0|0|0|0|0|'
            WHEN contains(g, '|0|0|0|0|0|0|') THEN '|0|0|0|0|0|0|' WHEN contains(g, '|0|0|0|0|0|') THEN '|0|0|0|0|0|'
            WHEN contains(g, '|0|0|0|0|') THEN '|0|0|0|0|' WHEN contains(g, '|0|0|0|') THEN '|0|0|0|'
            WHEN contains(g, '|0|0|') THEN '|0|0|' ELSE '' END], lambda z: CASE WHEN z = '' THEN replace(trim(g, '|'), '|', ':')
            ELSE replace(ltrim(left(g, strpos(g, z) - 1), '|'), '|', ':') || '::' || replace(rtrim(substr(g, strpos(g, z) + length(z)), '|'), '|', ':') END)[1])[1];
        CREATE OR REPLACE MACRO addr_groups(h, n) AS '|' || array_to_string(list_transform(range(0, n), lambda i: coalesce(nullif(ltrim(lower(h[i * 4 + 1:i * 4 + 4]), '0'), ''), '0')), '|') || '|';
        CREATE OR REPLACE MACRO addr(bytes) AS list_transform([hex(bytes)], lambda h: CASE
            WHEN h IS NULL THEN NULL
            WHEN h[1:24] = '00000000000000000000FFFF' THEN addr_v4(h)
            WHEN (h[1:16] = '0000000000000000' AND h[25:28] <> '0000' AND h[17:24] IN ('00000000', '0000FFFF', 'FFFF0000')) OR h[17:24] = '00005EFE'
                THEN regexp_replace(addr_short(addr_groups(h, 6)) || ':' || addr_v4(h), ':::', '::')
            ELSE addr_short(addr_groups(h, 8)) END)[1];
        CREATE OR REPLACE MACRO v4_hex(text) AS array_to_string(list_transform(string_split(text, '.'), lambda n: printf('%02X', n::INTEGER)), '');
        CREATE OR REPLACE MACRO groups_of(text) AS list_transform(list_filter(string_split(text, ':'), lambda g: g <> ''),
            lambda g: CASE WHEN contains(g, '.') THEN v4_hex(g) ELSE lpad(upper(g), 4, '0') END);
        CREATE OR REPLACE MACRO v6_hex(text) AS list_transform([[array_to_string(groups_of(split_part(text, '::', 1)), ''), array_to_string(groups_of(split_part(text, '::', 2)), '')]],
            lambda p: CASE WHEN contains(text, '::') THEN p[1] || repeat('0', 32 - length(p[1]) - length(p[2])) || p[2] ELSE p[1] END)[1];
        CREATE OR REPLACE MACRO ip(text) AS list_transform([text], lambda t: list_transform([CASE
            WHEN t IS NULL THEN NULL
            WHEN regexp_full_match(t, '((25[0-5]|2[0-4][0-9]|1?[0-9]?[0-9])\.){3}(25[0-5]|2[0-4][0-9]|1?[0-9]?[0-9])') THEN '00000000000000000000FFFF' || v4_hex(t)
            WHEN regexp_full_match(t, '[0-9a-fA-F:]*:(((25[0-5]|2[0-4][0-9]|1?[0-9]?[0-9])\.){3}(25[0-5]|2[0-4][0-9]|1?[0-9]?[0-9])|[0-9a-fA-F]*)')
                AND NOT regexp_matches(t, '::.*::|:::|[0-9a-fA-F]{5,}|^:[^:]|[^:]:$') THEN v6_hex(t)
            ELSE '' END], lambda h: CASE WHEN h IS NULL THEN NULL WHEN length(h) = 32 THEN unhex(h)
            ELSE error('''' || t || ''' is not an IP address; write it like 10.0.0.1 or 2001:db8::1.') END)[1])[1];
        CREATE OR REPLACE MACRO as_ip(a) AS CASE WHEN typeof(a) = 'BLOB' THEN a::BLOB ELSE ip(a::VARCHAR) END;
        CREATE OR REPLACE MACRO cidr_bits(cidr) AS CASE WHEN contains(cidr, '/') THEN split_part(cidr, '/', 2)::INTEGER + CASE WHEN contains(cidr, ':') THEN 0 ELSE 96 END ELSE 128 END;
        CREATE OR REPLACE MACRO in_cidr(a, cidr) AS list_transform([{'a': hex(as_ip(a)), 'n': hex(ip(split_part(cidr, '/', 1))), 'bits': cidr_bits(cidr)}],
            lambda c: left(c.a, c.bits // 4) = left(c.n, c.bits // 4)
                AND (c.bits % 4 = 0 OR (('0x' || c.a[c.bits // 4 + 1:c.bits // 4 + 1])::INTEGER >> (4 - c.bits % 4)) = (('0x' || c.n[c.bits // 4 + 1:c.bits // 4 + 1])::INTEGER >> (4 - c.bits % 4)))
                AND (left(c.a, 24) = '00000000000000000000FFFF') = NOT contains(cidr, ':'))[1];
        CREATE OR REPLACE MACRO protocol_text(p) AS CASE p WHEN 1 THEN 'icmp' WHEN 6 THEN 'tcp' WHEN 17 THEN 'udp' WHEN 58 THEN 'icmp6' WHEN 132 THEN 'sctp' ELSE p::VARCHAR END;
        """;
}
