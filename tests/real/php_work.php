<?php
// SPDX-License-Identifier: MIT
// Strings that grow, arrays, patterns and extensions of php, by a given number of rounds; prints
// digests that do not depend on the allocator.

mt_srand(4711);
$rounds = (int) $argv[1];
$held = [];
for ($round = 0; $round < $rounds; ++$round) {
    $text = '';
    for ($i = 0; $i < 400; ++$i) {
        $text .= str_repeat(chr(65 + $i % 26), mt_rand(1, 900));
        $held[mt_rand(0, 63)] = substr($text, 0, mt_rand(1, strlen($text)));
    }
    $held[64] = serialize($held);
    $held[65] = count(unserialize($held[64]));
    $held[66] = strlen(json_encode(array_map('strrev', array_slice($held, 0, 20))));
    $held[67] = preg_match_all('/A+B+/', $text);
    unset($held[64]);
    echo $round, ' ', md5(implode('|', $held)), "\n";
}

$map = new ArrayObject();
for ($i = 0; $i < 20000; ++$i) {
    $map[hash('crc32b', (string) $i)] = $i;
}
echo $map->count(), ' ', array_sum($map->getArrayCopy()), "\n";

// Of the extensions that are plug-ins.
echo strlen(iconv('UTF-8', 'UTF-16LE', str_repeat("\u{e4}b", 30000))), "\n";
echo ctype_alnum(str_repeat('a1', 20000)) ? 'alnum' : 'not', "\n";
echo implode(',', array_filter(['ctype', 'iconv', 'PDO', 'Phar'], 'extension_loaded')), "\n";
try {
    new PDO('none:');
} catch (PDOException $refused) {
    echo $refused->getMessage(), "\n";
}
