namespace Flows.Store;

/// <summary>The macros of a store, plain SQL: the same text serves the engine here and a stock DuckDB that reads views.sql.</summary>
internal static class Macros
{
    /// <remarks>
    /// A macro's argument is pasted wherever its parameter stands, so nested macros grow exponentially; a scalar subquery names a value
    /// once (DuckDB then computes it once per distinct argument). <c>addr</c> follows RFC 5952, and its section 5 for the forms that embed IPv4
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
        CREATE OR REPLACE MACRO addr_group(h, i) AS coalesce(nullif(ltrim(lower(h[i:i + 3]), '0'), ''), '0');
        CREATE OR REPLACE MACRO addr_v6(bytes) AS (
            SELECT CASE WHEN z = '' THEN replace(trim(g, '|'), '|', ':') || coalesce(':' || v4, '')
                ELSE replace(replace(ltrim(left(g, strpos(g, z) - 1), '|'), '|', ':') || '::'
                    || replace(rtrim(substr(g, strpos(g, z) + length(z)), '|'), '|', ':') || coalesce(':' || v4, ''), ':::', '::') END
            FROM (SELECT g, v4, CASE WHEN contains(g, '|0|0|0|0|0|0|0|0|') THEN '|0|0|0|0|0|0|0|0|'
                WHEN contains(g, '|0|0|0|0|0|0|0|') THEN '|0|0|0|0|0|0|0|' WHEN contains(g, '|0|0|0|0|0|0|') THEN '|0|0|0|0|0|0|'
                WHEN contains(g, '|0|0|0|0|0|') THEN '|0|0|0|0|0|'
                WHEN contains(g, '|0|0|0|0|') THEN '|0|0|0|0|' WHEN contains(g, '|0|0|0|') THEN '|0|0|0|' WHEN contains(g, '|0|0|') THEN '|0|0|' ELSE '' END AS z
                FROM (SELECT
                    CASE WHEN embeds THEN concat('|', addr_group(h, 1), '|', addr_group(h, 5), '|', addr_group(h, 9), '|', addr_group(h, 13), '|', addr_group(h, 17), '|', addr_group(h, 21), '|')
                    ELSE concat('|', addr_group(h, 1), '|', addr_group(h, 5), '|', addr_group(h, 9), '|', addr_group(h, 13), '|',
                        addr_group(h, 17), '|', addr_group(h, 21), '|', addr_group(h, 25), '|', addr_group(h, 29), '|') END AS g,
                    CASE WHEN embeds THEN addr_v4(h) END AS v4
                    FROM (SELECT h, (h[1:16] = '0000000000000000' AND h[25:28] <> '0000' AND h[17:24] IN ('00000000', '0000FFFF', 'FFFF0000')) OR h[17:24] = '00005EFE' AS embeds
                        FROM (SELECT hex(bytes) AS h)))));
        CREATE OR REPLACE MACRO addr(bytes) AS CASE WHEN bytes IS NULL THEN NULL WHEN hex(bytes)[1:24] = '00000000000000000000FFFF' THEN addr_v4(hex(bytes)) ELSE addr_v6(bytes) END;
        CREATE OR REPLACE MACRO v4_hex(text) AS concat(
            printf('%02X', try_cast(split_part(text, '.', 1) AS INTEGER)), printf('%02X', try_cast(split_part(text, '.', 2) AS INTEGER)),
            printf('%02X', try_cast(split_part(text, '.', 3) AS INTEGER)), printf('%02X', try_cast(split_part(text, '.', 4) AS INTEGER)));
        CREATE OR REPLACE MACRO groups_hex(text) AS array_to_string(list_transform(list_filter(string_split(text, ':'), lambda g: g <> ''),
            lambda g: CASE WHEN contains(g, '.') THEN v4_hex(g) ELSE lpad(upper(g), 4, '0') END), '');
        CREATE OR REPLACE MACRO ip_or_null(text) AS (
            SELECT CASE
                WHEN regexp_full_match(t, '((25[0-5]|2[0-4][0-9]|1?[0-9]?[0-9])\.){3}(25[0-5]|2[0-4][0-9]|1?[0-9]?[0-9])') THEN unhex('00000000000000000000FFFF' || v4_hex(t))
                WHEN regexp_full_match(t, '[0-9a-fA-F:]*:(((25[0-5]|2[0-4][0-9]|1?[0-9]?[0-9])\.){3}(25[0-5]|2[0-4][0-9]|1?[0-9]?[0-9])|[0-9a-fA-F]*)')
                    AND NOT regexp_matches(t, '::.*::|:::|[0-9a-fA-F]{5,}|^:[^:]|[^:]:$') AND length(h) = 32 THEN unhex(h) END
            FROM (SELECT t, CASE WHEN contains(t, '::') THEN l || repeat('0', 32 - length(l) - length(r)) || r ELSE l END AS h
                FROM (SELECT t, groups_hex(split_part(t, '::', 1)) AS l, groups_hex(split_part(t, '::', 2)) AS r FROM (SELECT text AS t))));
        CREATE OR REPLACE MACRO ip(text) AS (
            SELECT CASE WHEN b IS NULL AND t IS NOT NULL THEN error('''' || t || ''' is not an IP address; write it like 10.0.0.1 or 2001:db8::1.') ELSE b END
            FROM (SELECT text AS t, ip_or_null(text) AS b));
        CREATE OR REPLACE MACRO as_ip(a) AS CASE WHEN typeof(a) = 'BLOB' THEN a::BLOB ELSE ip_or_null(a::VARCHAR) END;
        CREATE OR REPLACE MACRO in_cidr(a, cidr) AS (
            SELECT left(x, bits // 4) = left(n, bits // 4) AND (left(x, 24) = '00000000000000000000FFFF') = NOT v6
                AND (bits % 4 = 0 OR (('0x0' || x[bits // 4 + 1:bits // 4 + 1])::INTEGER >> (4 - bits % 4)) = (('0x0' || n[bits // 4 + 1:bits // 4 + 1])::INTEGER >> (4 - bits % 4)))
            FROM (SELECT hex(as_ip(a)) AS x, hex(ip(split_part(cidr, '/', 1))) AS n, contains(cidr, ':') AS v6,
                CASE WHEN contains(cidr, '/') THEN split_part(cidr, '/', 2)::INTEGER + CASE WHEN contains(cidr, ':') THEN 0 ELSE 96 END ELSE 128 END AS bits));
        CREATE OR REPLACE MACRO protocol_text(p) AS CASE p WHEN 1 THEN 'icmp' WHEN 6 THEN 'tcp' WHEN 17 THEN 'udp' WHEN 58 THEN 'icmp6' WHEN 132 THEN 'sctp' ELSE p::VARCHAR END;
        """;
}
