"""
The commonest passwords, and the words that they are made of.

A password is refused when it is one of these, or one of them with digits and signs around it: so a short list
stands for the many thousand variants (``Password2026!``) that guessing begins with.
"""

from __future__ import annotations

from typing import Final

_LETTERS: Final = """
aaaaaa abcabc abcd abcdef abcdefg abcdefgh abcdefghi abcdefghij abcdefghijk access account adidas admin
adminadmin administrator alexander alexandra amanda america andrea andrew angel angela angels anthony apple
april arsenal asdasd asdasdasd asdf asdfasdf asdfgh asdfghj asdfghjk asdfghjkl asdfjkl ashley august austin
autumn azerty azertyuiop babygirl backup backups badboy bailey banana barcelona baseball basketball batman
beautiful benjamin bigdaddy blahblah blessed blink bonjour boomer brandon brittany brooklyn bubbles buster
butterfly camaro cameron captain carlos carolina caroline celtic changeit changeme changemenow charles
charlie cheese chelsea chester chicken chocolate chris christian christina christopher claudia coffee
computer cookie cooper corvette country cowboy cowboys crystal dallas daniel danielle database december
default defaultpassword demodemo dexter diamond dolphin dolphins donald dragon dragonball eagles einstein
elephant elizabeth eminem encyclopedia england facebook falcon familia family fender ferrari fishing flower
flowers football forever forgetit france freedom friend friends gandalf garfield gemini genesis george
gfhjkm ginger giovanni gladiator goldfish google gordon grandma guest guitar hallo hallohallo hammer hannah
happiness happy hardcore harley hawaii heather hello hellohello hellokitty helloworld hockey homer hotmail
house hunter iceman iloveu iloveyou iloveyousomuch informatica instagram internet jackson january jasmine
jasper jeffrey jennifer jeremy jessica jesus jesuschrist jonathan jordan joseph joshua junior justin kenneth
killer kingking kissme knight kristina lakers lauren leonardo letmein letmeinnow letmeinplease lifehack
linkedin liverpool login loveforever lovelove loveme lovely loveyou madison maggie manager manchester
manunited marina marine mariposa marlboro martin master matrix matthew maverick melissa mercedes merlin
metallica michael michelle mickey microsoft midnight miguel minecraft monday money monkey monster mookie
morgan mother motorola mountain mustang mynameis mynoob mypassword naruto natasha newpassword newyork
nicholas nicole nirvana nothing november october oliver oracle orange package panther parola pass passpass
passport passw passwd password passwordpassword passwort patrick peanut pepper persib phoenix picture
pikachu pinnacle platinum please pokemon poohbear porsche postgres precious prince princess private purple
qazqaz qazwsx qazwsxedc qazwsxedcrfv qazxsw qweasd qweasdzxc qweqwe qweqweqwe qwer qwerasdf qwerty
qwertyqwerty qwertyui qwertyuio qwertyuiop qwertyuiopasdf qwertz qwertzuiop rabbit rachel raiders rainbow
ranger rangers rebecca redhat redsox restore richard robert rockyou rootroot root samantha samsung samuel
sandra scooter scorpion secret secretpassword secure security september server service shadow shannon simple
skywalker slipknot smokey snickers snoopy soccer softball sophie spider spiderman spring starwars stella
steven student studio summer sunflower sunshine super superadmin superman superstar supersecret support
sweety system target taylor tennis teresa test tester testing testtest thomas thunder tiger
tinkerbell toor trinity trustno trustnoone twitter ultrapinnacle ultrapinnaclestudio user username valentina
vanessa victoria victory viking vincent walter warrior webmaster welcome welcometo whatever william windows
winner winter wizard xxxxxx yamaha yankees yellow zaqwsx zxcvbn zxcvbnm zxcvbnmasdfghjkl zxczxc
"""

_MIXED: Final = """
0123456789 01234567890 0987654321 09876543210 1029384756 1111111111 1112223334 1122334455 112233445566
1212121212 1231231231 123123123123 1233211233 1234512345 12345654321 1234567890 12345678900 12345678901
123456789012 1234567890123 123456789123 1234567891 12345678910 123456123456 123456qwerty 1234qwerasdf
1234abcd5678 12qwaszx12 1357924680 147258369 1472583690 147852369 1597534862 1a2b3c4d5e 1a2s3d4f5g
1q2w3e1q2w3e 1q2w3e4r5t 1q2w3e4r5t6y 1q2w3e4r5t6y7u 1q2w3e4r5t6y7u8i 1q2w3e4rasdf 1qaz1qaz1qaz 1qaz2wsx3edc
1qaz2wsx3edc4rfv 1qazxsw23edc 1qazxsw2 2468013579 3141592653 31415926535 789456123 7894561230 741852963
7418529630 963852741 9638527410 987654321 9876543210 98765432100 a1b2c3d4e5 a1b2c3d4e5f6 a1s2d3f4g5
aa12345678 abc123456789 abc123abc123 abcd123456 abcd1234abcd abcd12345678 admin12345 asdf1234asdf dearbook
p4ssw0rd p@55w0rd p@ssw0rd pa$$w0rd passw0rd passw0rd123 q1w2e3r4 q1w2e3r4t5 q1w2e3r4t5y6 qaz123wsx456
qazwsx123456 qwe123qwe123 qwer1234qwer qwerty1234567 r00tr00t s3cr3t t3stt3st trustno1 w3lcome zaq12wsxcde3
zaq1zaq1 zaq1xsw2cde3 zxcv1234asdf
"""

COMMON: Final = frozenset(f"{_LETTERS} {_MIXED}".split())
